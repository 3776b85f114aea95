"""Writes the files in `files/`, which `tests/numpy_files.rs` reads; or checks those that it wrote.

    python tests/numpy/generate.py
    python tests/numpy/generate.py check FOLDER

It needs numpy.
"""

import pathlib
import sys

import numpy as np

FILES = pathlib.Path(__file__).parent / "files"
SHAPE = (2, 3, 4)


def counted(shape):
    """Whole numbers from 0 to 22, which the test computes, too."""
    return (np.arange(np.prod(shape, dtype=int)) * 7 % 23).reshape(shape)


def numbers(kind, shape=SHAPE):
    """Numbers of a kind, negative ones and quarters among them where there are any."""
    counts = counted(shape)
    if kind == "b1":
        return counts % 2 == 1
    if kind.startswith("f"):
        return ((counts - 11) / 4).astype(kind)
    return (counts - 11 if kind.startswith("i") else counts).astype(kind)


def generate():
    arrays = {}
    for kind in ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
        for order in "CF":
            for name, sign in [("little", "<"), ("big", ">")]:
                if name == "little" or not kind.endswith("1"):
                    array = np.asarray(numbers(kind).astype(sign + kind), order=order)
                    arrays[f"{kind}_{name}_{order}"] = array
    np.savez(FILES / "arrays.npz", **arrays)
    np.savez_compressed(FILES / "compressed.npz", np.zeros((100, 100)), counted((5,)), named=numbers("f4"))
    np.save(FILES / "matrix.npy", numbers("f4", (3, 5)))
    np.save(FILES / "number.npy", np.float64(-2.75))
    np.save(FILES / "nothing.npy", np.zeros((3, 0, 2), "f4", order="F"))
    np.save(FILES / "special.npy", np.array([np.inf, -np.inf, np.nan, -0.0, 6e-8, 65504.0], "f2"))
    np.save(FILES / "records.npy", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]))
    np.save(FILES / "objects.npy", np.array([{}, None], dtype=object), allow_pickle=True)
    np.save(FILES / "texts.npy", np.array(["a", "bc"]))
    np.save(FILES / "complex.npy", np.array([1j], "c8"))
    with open(FILES / "version_2.npy", "wb") as file:
        np.lib.format.write_array(file, numbers("f8", (2, 2)), version=(2, 0))


def check(folder):
    for name, kind in [("f32", "f4"), ("f64", "f8"), ("bool", "b1")]:
        expected = numbers(kind)
        array = np.load(folder / f"{name}.npy")
        assert array.dtype == expected.dtype and array.flags.c_contiguous, (name, array.dtype)
        np.testing.assert_array_equal(array, expected, strict=True)
    np.testing.assert_array_equal(np.load(folder / "usize.npy"), counted(SHAPE).astype("i8"), strict=True)
    np.testing.assert_array_equal(np.load(folder / "number.npy"), np.float32(2.5), strict=True)
    np.testing.assert_array_equal(np.load(folder / "vector.npy"), numbers("f4", (7,)), strict=True)
    assert np.load(folder / "nothing.npy").shape == (3, 0, 2)
    np.testing.assert_array_equal(
        np.load(folder / "special.npy"), np.array([np.inf, -np.inf, np.nan, -0.0, 1e-45, 0.1], "f4"), strict=True
    )
    assert np.signbit(np.load(folder / "special.npy")[3])
    for name in ["arrays.npz", "compressed.npz"]:
        with np.load(folder / name) as arrays:
            assert sorted(arrays.files) == ["labels", "mask", "x"], arrays.files
            np.testing.assert_array_equal(arrays["x"], numbers("f4"), strict=True)
            np.testing.assert_array_equal(arrays["labels"], counted((9,)).astype("i8"), strict=True)
            np.testing.assert_array_equal(arrays["mask"], numbers("b1"), strict=True)
    print("numpy reads everything")


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(pathlib.Path(sys.argv[2]))
    else:
        generate()
