"""Checks the ONNX files that `tests/onnx.rs` writes: each is valid, and onnxruntime's outputs are taut's.

Usage: python check.py FOLDER. Needs the packages `onnx`, `onnxruntime` and `numpy`. The folder holds a `NAME.onnx` for
each case, and `cases.json`, a list of `{name, names, runs: [{inputs, outputs}]}`, in which a tensor is
`{type, sizes, values}`.
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime

# the largest difference, for values up to 1; for larger ones, as a part of the largest
TOLERANCE = 1e-5


def array(tensor):
    kind = {"f32": numpy.float32, "f64": numpy.float64, "usize": numpy.int64}[tensor["type"]]
    return numpy.array(tensor["values"], dtype=kind).reshape(tensor["sizes"])


def check(folder, case):
    """The largest difference of a case."""
    path = str(folder / (case["name"] + ".onnx"))
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    held = {initializer.name for initializer in model.graph.initializer}
    missing = [name for name in case["names"] if name not in held]
    assert not missing, f"no initializer has the name of the parameter {missing}"
    if not case["runs"]:
        return 0.0
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    worst = 0.0
    for run in case["runs"]:
        assert len(names) == len(run["inputs"]), f"the graph has the inputs {names}"
        found = session.run(None, {name: array(x) for name, x in zip(names, run["inputs"])})
        assert len(found) == len(run["outputs"]), f"the graph has {len(found)} outputs, not {len(run['outputs'])}"
        for value, y, expected in zip(session.get_outputs(), found, map(array, run["outputs"])):
            assert y.shape == expected.shape and y.dtype == expected.dtype, (
                f"{value.name} is {y.dtype} {y.shape}, not {expected.dtype} {expected.shape}"
            )
            assert len(value.shape) == y.ndim, f"{value.name} is declared as {value.shape}, and is {y.shape}"
            for declared, size in zip(value.shape, y.shape):
                assert isinstance(declared, str) or declared == size, f"{value.name} is declared as {value.shape}"
            if y.size == 0:
                continue
            assert numpy.isfinite(expected).all(), "taut's outputs are not finite"
            scale = max(1.0, float(numpy.abs(expected).max()))
            difference = float(numpy.abs(y - expected).max()) / scale
            assert difference <= TOLERANCE, f"{value.name} differs by {difference:.2e}"
            worst = max(worst, difference)
    return worst


def main():
    folder = pathlib.Path(sys.argv[1])
    cases = json.loads((folder / "cases.json").read_text())
    failed, worst = [], ("none", 0.0)
    for case in cases:
        try:
            difference = check(folder, case)
            worst = max(worst, (case["name"], difference), key=lambda pair: pair[1])
        except Exception as error:  # all that fail are to be seen
            failed.append(f"{case['name']}: {error}")
    runs = sum(len(case["runs"]) for case in cases)
    print(f"{len(cases)} models, {runs} runs, largest difference {worst[1]:.1e} ({worst[0]})")
    print("\n".join(failed))
    sys.exit(1 if failed or not cases else 0)


main()
