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


if __name__ == "__main__":
    main()
