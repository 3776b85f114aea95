"""Writes what the tests in `tests/pytorch_*.rs` compare with: outputs and gradients as PyTorch computes them.

    python tests/pytorch/generate.py            # every topic
    python tests/pytorch/generate.py unary      # only this one

Each topic is a function below that gives a list of cases, and becomes `values/TOPIC.json`. PyTorch computes in
64 bits, so that one file serves tests in f32 and in f64; where the two behave differently, a case is computed in 32.
Inputs are multiples of 1/64: short to write and exact in both types.

A case is

    {"name": "..", "inputs": [TENSOR, ..], "parameters": {"slope": 0.1, "table": TENSOR, ..},
     "output": TENSOR, "upstream": TENSOR, "gradients": [TENSOR or null, ..]}

with TENSOR = {"shape": [2, 3], "values": [..]}, the last axis fastest; NaN and the infinities are strings. `upstream`
is the gradient that arrives at the output, different numbers and never all ones; `gradients` are those of the inputs.
"""

import json
import math
import pathlib
import sys
import zlib

import torch
import torch.nn.functional as F

VALUES = pathlib.Path(__file__).parent / "values"
TOPICS = {}


def topic(function):
    """Registers a topic. The generator starts anew for each, so topics do not depend on each other."""
    TOPICS[function.__name__] = function
    return function


def numbers(*shape, low=-3.0, high=3.0, dtype=torch.float64):
    """Random multiples of 1/64 between `low` and `high`."""
    return (torch.rand(shape, dtype=torch.float64) * (high - low) * 64).round().div(64).add(low).to(dtype)


def number(value):
    """A number as JSON has it: 12 digits of f64, 9 of f32."""
    if isinstance(value, (bool, int)):
        return int(value)
    if not math.isfinite(value):
        return str(value)
    return float(f"{value:.12g}")


def tensor(values):
    """A tensor as JSON."""
    values = values.detach()
    return {"shape": list(values.shape), "values": [number(value) for value in values.flatten().tolist()]}


def case(name, function, *inputs, **parameters):
    """Runs `function(*inputs)` forward and backward. Floating-point inputs get a gradient."""
    inputs = [x.detach().clone().requires_grad_(x.is_floating_point()) for x in inputs]
    output = function(*inputs)
    result = {
        "name": name,
        "inputs": [tensor(x) for x in inputs],
        "parameters": {key: tensor(p) if torch.is_tensor(p) else number(p) for key, p in parameters.items()},
        "output": tensor(output),
    }
    if output.requires_grad:
        upstream = numbers(*output.shape, low=-2.0, high=2.0, dtype=output.dtype)
        output.backward(upstream)
        result["upstream"] = tensor(upstream)
        result["gradients"] = [None if x.grad is None else tensor(x.grad) for x in inputs]
    return result


@topic
def unary():
    x = numbers(3, 5)
    positive = numbers(3, 5, low=0.25, high=6.0)
    return [
        case("abs", torch.abs, x),
        case("relu", F.relu, x),
        case("sigmoid", torch.sigmoid, x),
        case("sqrt", torch.sqrt, positive),
    ]


def main():
    names = sys.argv[1:] or list(TOPICS)
    for name in names:
        torch.manual_seed(zlib.crc32(name.encode()))
        cases = ",\n".join(json.dumps(one) for one in TOPICS[name]())
        path = VALUES / f"{name}.json"
        path.write_text(f"[\n{cases}\n]\n")
        print(f"{path}: {path.stat().st_size} bytes")


@topic
def convolution():
    """Names are the layers in tests/pytorch_vision.rs. Inputs: x, weight and, where there is one, bias."""

    def conv(name, shape, weight, *, bias=True, **options):
        inputs = [numbers(*shape), numbers(*weight, low=-1.0, high=1.0)]
        if bias:
            inputs.append(numbers(weight[0], low=-1.0, high=1.0))
        function = F.conv1d if len(shape) == 3 else F.conv2d
        return case(name, lambda *inputs: function(*inputs, **options), *inputs)

    def transposed(name, shape, weight, *, bias=True, **options):
        inputs = [numbers(*shape), numbers(*weight, low=-1.0, high=1.0)]
        if bias:
            inputs.append(numbers(weight[1], low=-1.0, high=1.0))
        return case(name, lambda *inputs: F.conv_transpose2d(*inputs, **options), *inputs)

    return [
        conv("plain", (2, 1, 4, 5), (2, 1, 3, 3)),
        conv("stride", (2, 2, 6, 5), (3, 2, 3, 3), stride=2, padding=1),
        conv("floor", (1, 2, 8, 6), (2, 2, 3, 3), stride=3),
        conv("wide padding", (1, 1, 2, 3), (2, 1, 3, 3), padding=2),
        conv("dilation", (2, 2, 6, 7), (2, 2, 3, 3), dilation=2, padding=1, bias=False),
        conv("pointwise", (2, 3, 3, 2), (4, 3, 1, 1)),
        conv("pointwise stride", (2, 3, 5, 4), (2, 3, 1, 1), stride=2),
        conv("five", (1, 2, 6, 6), (2, 2, 5, 5), padding=2),
        conv("same", (2, 2, 3, 4), (3, 2, 3, 3), padding=1),
        conv("groups", (2, 4, 4, 4), (6, 2, 3, 3), padding=1, groups=2),
        conv("depthwise", (2, 3, 5, 4), (3, 1, 3, 3), stride=2, padding=1, groups=3),
        conv("multiplier", (1, 2, 4, 4), (4, 1, 2, 2), groups=2, dilation=2),
        conv("rectangular", (2, 2, 3, 6), (2, 2, 1, 3), stride=(1, 2), padding=(0, 1)),
        conv("sequence", (2, 2, 8), (3, 2, 3), stride=2, padding=1),
        conv("sequence dilation", (1, 2, 9), (2, 2, 3), dilation=3),
        transposed("transposed", (2, 3, 3, 2), (3, 2, 4, 4), stride=2, padding=1),
        transposed("transposed output padding", (1, 2, 2, 3), (2, 3, 3, 3), stride=2, padding=1, output_padding=1),
        transposed("transposed apart", (1, 2, 2, 2), (2, 1, 2, 2), stride=3, bias=False),
        transposed("transposed dense", (2, 2, 3, 3), (2, 2, 3, 3)),
    ]


@topic
def pooling():
    x = torch.randperm(2 * 2 * 7 * 6).reshape(2, 2, 7, 6).double().div(16)  # distinct, so that every maximum is clear
    return [
        case("max", lambda x: F.max_pool2d(x, 2), x),
        case("max overlapping", lambda x: F.max_pool2d(x, 3, 2, 1), x),
        case("max apart", lambda x: F.max_pool2d(x, 2, 3), x),
        case("mean", lambda x: F.avg_pool2d(x, 2), x),
        case("mean overlapping", lambda x: F.avg_pool2d(x, 3, 2, 1), x),
        case("adaptive mean", lambda x: F.adaptive_avg_pool2d(x, (3, 4)), x),
        case("adaptive max", lambda x: F.adaptive_max_pool2d(x, (2, 5)), x),
        case("global mean", lambda x: x.mean((2, 3)), x),
        case("global max", lambda x: x.amax((2, 3)), x),
        case("unpool", lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=x.shape), x),
        case("nearest", lambda x: F.interpolate(x, scale_factor=3, mode="nearest"), x[:1, :1, :3, :2]),
        case("bilinear", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), x[:1, :, :3, :4]),
        case("bilinear three", lambda x: F.interpolate(x, scale_factor=3, mode="bilinear"), x[:1, :1, :2, :3]),
        case("pad zero", lambda x: F.pad(x, (2, 2, 2, 2)), x[:1, :, :3, :4]),
        case("pad reflect", lambda x: F.pad(x, (2, 2, 2, 2), mode="reflect"), x[:1, :, :3, :4]),
        case("pad replicate", lambda x: F.pad(x, (2, 2, 2, 2), mode="replicate"), x[:1, :, :3, :4]),
        case("shuffle", lambda x: F.pixel_shuffle(x, 2), numbers(2, 8, 2, 3)),
    ]


@topic
def normalization():
    def batch(name, training, *shape):
        mean, var = numbers(shape[1], low=-1.0, high=1.0), numbers(shape[1], low=0.5, high=2.0)
        before = {"mean before": mean.clone(), "var before": var.clone()}
        run = lambda x, w, b: F.batch_norm(x, mean, var, w, b, training=training, momentum=0.1, eps=1e-5)
        result = case(name, run, numbers(*shape), numbers(shape[1]), numbers(shape[1]))
        after = before | {"mean after": mean, "var after": var}
        result["parameters"] = {key: tensor(value) for key, value in after.items()}
        return result

    return [
        batch("batch training", True, 3, 2, 3, 4),
        batch("batch inference", False, 3, 2, 3, 4),
        batch("features training", True, 5, 3),
        batch("sequence training", True, 2, 3, 4),
        case("layer", lambda x, w, b: F.layer_norm(x, (5,), w, b), numbers(2, 3, 5), numbers(5), numbers(5)),
        case("group", lambda x, w, b: F.group_norm(x, 2, w, b), numbers(2, 4, 3, 2), numbers(4), numbers(4)),
        case("instance", lambda x, w, b: F.group_norm(x, 4, w, b), numbers(2, 4, 3, 2), numbers(4), numbers(4)),
    ]


if __name__ == "__main__":
    main()
