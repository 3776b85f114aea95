"""Writes `values.json`, which `tests/metrics.rs` compares with: Fréchet distances and classifier scores by numpy and
scipy.

    python tests/metrics/generate.py

The distance is that of pytorch-fid: the root of the product of the covariances by `scipy.linalg.sqrtm`. The score is
written out from its definition. Points are multiples of 1/64.
"""

import json
import pathlib

import numpy
import scipy.linalg
import scipy.special

random = numpy.random.default_rng(0)


def points(count, size, rank=None, scale=1.0):
    x = random.standard_normal((count, size if rank is None else rank)) * scale
    if rank is not None:
        x = x @ random.integers(-1, 2, (rank, size))
    return numpy.round(x * 64) / 64


def distance(a, b):
    means, covariances = [x.mean(0) for x in (a, b)], [numpy.atleast_2d(numpy.cov(x, rowvar=False)) for x in (a, b)]
    root = numpy.real(scipy.linalg.sqrtm(covariances[0] @ covariances[1]))
    return ((means[0] - means[1]) ** 2).sum() + numpy.trace(covariances[0] + covariances[1] - 2 * root)


def score(logits):
    p = scipy.special.softmax(logits, axis=1)
    return numpy.exp(scipy.special.rel_entr(p, p.mean(0)).sum(1).mean())


pairs = [
    (points(30, 4), points(25, 4, scale=2.0) + 0.5),
    (points(40, 12), points(60, 12) - 1),
    (points(7, 1), points(5, 1)),
    # fewer directions than axes: the covariances have eigenvalues 0
    (points(20, 6, rank=3), points(20, 6)),
]
logits = [points(12, 3, scale=3.0), points(6, 10, scale=100.0), numpy.zeros((4, 5))]


def matrix(x):
    return {"sizes": list(x.shape), "values": x.flatten().tolist()}


values = {
    "distances": [{"a": matrix(a), "b": matrix(b), "distance": float(distance(a, b))} for a, b in pairs],
    "scores": [{"logits": matrix(x), "score": float(score(x))} for x in logits],
}
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")
