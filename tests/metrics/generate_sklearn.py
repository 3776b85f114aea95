"""Writes `sklearn.json`, which `tests/metrics_streaming.rs` compares with: metrics of predictions by scikit-learn.

    python tests/metrics/generate_sklearn.py

Scores are multiples of 1/8, so that there are ties, and exact in 32 bits.
"""

import json
import pathlib
import warnings

import numpy
import scipy.special
from sklearn import metrics

random = numpy.random.default_rng(0)
warnings.simplefilter("ignore")  # of classes without samples


def scores(*sizes, scale=1.5):
    return numpy.round(random.standard_normal(sizes) * scale * 8) / 8


def matrix(x):
    x = numpy.asarray(x)
    return {"sizes": list(x.shape), "values": x.flatten().tolist()}


def averages(truth, predicted, labels=None):
    keys = {"f1": metrics.f1_score, "precision": metrics.precision_score, "recall": metrics.recall_score}
    named = {
        f"{average}_{name}": float(score(truth, predicted, average=average, zero_division=0))
        for name, score in keys.items()
        for average in ["macro", "micro", "weighted"]
    }
    each = {
        name: [
            None if numpy.isnan(x) else float(x)
            for x in score(truth, predicted, average=None, labels=labels, zero_division=numpy.nan)
        ]
        for name, score in keys.items()
    }
    return named | each


def classification(count, classes, kept):
    """Labels are of the classes `kept` only."""
    logits = scores(count, classes)
    labels = random.choice(kept, count)
    logits[numpy.arange(count), labels] += 1
    predicted = logits.argmax(1)
    # the order in which scikit-learn takes equal scores is its own: break ties towards the lower class, as taut does
    apart = logits - numpy.arange(classes) * 1e-6
    case = {
        "logits": matrix(logits),
        "labels": labels.tolist(),
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "confusion": metrics.confusion_matrix(labels, predicted, labels=range(classes)).tolist(),
        "log_loss": float(metrics.log_loss(labels, scipy.special.softmax(logits, 1), labels=range(classes))),
        "top": [
            float(metrics.top_k_accuracy_score(labels, apart, k=k, labels=range(classes)))
            for k in range(1, classes)
            if classes > 2
        ],
        # equal probabilities of two samples are equal in any arithmetic if they are rounded
        "probabilities": matrix(numpy.round(scipy.special.softmax(logits, 1) * 64) / 64),
    }
    case |= averages(labels, predicted, range(classes))
    probabilities = numpy.array(case["probabilities"]["values"]).reshape(count, classes)
    areas = [metrics.roc_auc_score(labels == c, probabilities[:, c]) if c in labels else None for c in range(classes)]
    present = [c for c in range(classes) if c in labels]
    weights = [(labels == c).sum() for c in present]
    case["areas"] = areas
    case["macro_area"] = float(numpy.mean([areas[c] for c in present]))
    case["weighted_area"] = float(numpy.average([areas[c] for c in present], weights=weights))
    if len(present) == classes > 2:
        # of probabilities that sum to 1, which scikit-learn insists on
        exact = scipy.special.softmax(logits, 1)
        case["exact_macro_area"] = float(metrics.roc_auc_score(labels, exact, multi_class="ovr"))
    return case


def binary(count, scale):
    logits = scores(count, scale=scale)
    labels = random.random(count) < scipy.special.expit(logits)
    predicted = logits > 0
    counts = metrics.confusion_matrix(labels, predicted).ravel()
    true_negatives, false_positives, false_negatives, true_positives = counts
    return {
        "scores": logits.tolist(),
        "labels": labels.tolist(),
        "counts": [int(x) for x in (true_positives, false_positives, false_negatives, true_negatives)],
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "precision": float(metrics.precision_score(labels, predicted)),
        "recall": float(metrics.recall_score(labels, predicted)),
        "specificity": float(metrics.recall_score(~labels, ~predicted)),
        "f1": float(metrics.f1_score(labels, predicted)),
        "area": float(metrics.roc_auc_score(labels, logits)),
    }


def multilabel(count, labels):
    logits = scores(count, labels)
    truth = random.random((count, labels)) < scipy.special.expit(logits)
    return {"logits": matrix(logits), "labels": matrix(truth)} | averages(truth, logits > 0)


def regression(targets, predictions):
    return {
        "targets": targets.tolist(),
        "predictions": predictions.tolist(),
        "mean_absolute_error": float(metrics.mean_absolute_error(targets, predictions)),
        "mean_squared_error": float(metrics.mean_squared_error(targets, predictions)),
        "root_mean_squared_error": float(metrics.root_mean_squared_error(targets, predictions)),
        "r_squared": float(metrics.r2_score(targets, predictions)),
    }


constant = numpy.full(6, 0.25)
targets = scores(40)
values = {
    "classification": [
        classification(40, 4, range(4)),
        classification(30, 6, [0, 2, 3]),
        classification(12, 10, [1, 9]),
        classification(25, 2, range(2)),
    ],
    "binary": [binary(30, 1.5), binary(40, 0.3)],
    "multilabel": [multilabel(20, 5), multilabel(15, 2)],
    "regression": [
        regression(targets, targets + scores(40, scale=0.4)),
        regression(targets, scores(40)),
        # digits are lost by sums of squares
        regression(targets + 1e6, targets + 1e6 + scores(40, scale=0.1)),
        regression(constant, constant),
        regression(constant, scores(6)),
    ],
}
pathlib.Path(__file__).with_name("sklearn.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")
