"""Writes the files in `files/` that tests read as files of PyTorch, beside those that `generate.py` writes.

    python tests/pytorch/files.py                    # every file
    python tests/pytorch/files.py halves             # only this one
    python tests/pytorch/files.py resnet18 FOLDER    # what is too large to be kept: a test does this

It needs torch, and for the files that are kept numpy and safetensors, too.
"""

import io
import math
import pathlib
import sys
import zipfile
from collections import OrderedDict

import torch

from generate import ResNet18, sequential

FILES = pathlib.Path(__file__).parent / "files"


def halves():
    """The same numbers in all floating-point types, for the bits that PyTorch rounds to."""
    from safetensors.torch import save_file

    exponents = torch.randint(-30, 16, (400,)).double()
    wide = (torch.rand(400, dtype=torch.float64) * 2 - 1) * 2.0**exponents
    # (no NaN, of which there are many bits.) Halfway between neighbours of either type, and beside it; the ends of the
    # range of binary16
    ties = [
        sign * (1 + (n + 0.5) * 2.0**-bits) * 2.0**e
        for bits in (7, 10) for n in range(4) for e in (-20, -14, 0, 9) for sign in (1, -1)
    ]
    special = [0.0, -0.0, math.inf, -math.inf, 65504.0, 65519.0, 2.0**-14, 2.0**-24, 2.0**-25, 1.5 * 2.0**-25]
    wide = torch.cat([wide, torch.tensor(ties + special, dtype=torch.float64)])
    narrow = wide.float()
    names = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
    tensors = {"narrow.f32": narrow, "wide.f64": wide, "wide.f32": narrow.clone()}
    tensors |= {f"narrow.{name}": narrow.to(names[name]) for name in ("f16", "bf16")}
    tensors |= {f"wide.{name}": wide.to(names[name]) for name in ("f16", "bf16")}
    save_file(tensors, FILES / "halves.safetensors")


def checkpoint():
    """What training loops save: the weights under a key, beside the optimizer's state and other values."""
    from safetensors.torch import load_file

    model = sequential()
    model.load_state_dict(load_file(FILES / "sequential_f32.safetensors"))
    torch.save(model.state_dict(), FILES / "sequential.pt")
    # before 1.6; a whole module, which is code
    torch.save(model.state_dict(), FILES / "before_zip.pt", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(1, 1), FILES / "module.pt")
    parallel = torch.nn.DataParallel(model.eval())
    optimizer = torch.optim.Adam(parallel.parameters())
    model(torch.rand(4, 1, 8, 8)).square().mean().backward()
    state = {key: value.clone() for key, value in parallel.state_dict().items()}
    optimizer.step()
    everything = {
        "epoch": 3,
        "best": 0.5,
        "history": [1.0, 0.5, (0.25, None, True)],
        "seed": [2**40, -(2**62), 2**80, -1, 70000, -70000],
        "name": "größer",
        "device": torch.device("cpu"),
        "shape": torch.Size([2, 3]),
        "model": OrderedDict(state),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(everything, FILES / "checkpoint.pt")


def views():
    """Tensors that share storages, in every order, and the same as safetensors."""
    import numpy
    from safetensors.torch import save_file

    base = torch.randn(3, 4, 5)
    tensors = {
        "base": base,
        "tied": base,
        "turned": base.permute(2, 0, 1),
        "part": base[1:, ::2, 1:4],
        "row": base[2, 3],
        "column": base[:, 1, 2],
        "repeated": base[0, :2, :1].expand(2, 6),
        "number": base[1, 2, 3],
        "parameter": torch.nn.Parameter(torch.randn(2, 2)),
        "wide": torch.randn(2, 3, dtype=torch.float64).T,
        "half": torch.randn(2, 3).half().T,
        "brain": torch.randn(4, 3).bfloat16()[1:, 1:],
        "nothing": torch.zeros(0, 3),
        "channels_last": torch.randn(2, 3, 4, 2).to(memory_format=torch.channels_last),
    }
    whole = {"counts": torch.arange(6).reshape(2, 3).T, "mask": torch.tensor([True, False])}
    types = ("int8", "int16", "int32", "uint8")
    whole |= {f"int{i}": torch.arange(3, dtype=getattr(torch, name)) for i, name in enumerate(types)}
    torch.save(tensors | whole, FILES / "views.pt")
    torch.save(tensors | whole, FILES / "views_protocol_5.pt", pickle_protocol=5)
    save_file({key: value.detach().clone().contiguous() for key, value in tensors.items()}, FILES / "views.safetensors")
    # a machine of the other byte order
    with zipfile.ZipFile(FILES / "views.pt") as little, zipfile.ZipFile(FILES / "views_big_endian.pt", "w") as big:
        widths = widths_of_storages(little)
        for entry in little.infolist():
            contents = little.read(entry)
            if entry.filename == "views/byteorder":
                contents = b"big"
            elif entry.filename.startswith("views/data/"):
                width = widths[entry.filename.rsplit("/", 1)[1]]
                contents = numpy.frombuffer(contents, f"u{width}").byteswap().tobytes()
            big.writestr(entry.filename.replace("views/", "views_big_endian/", 1), contents)


def widths_of_storages(archive):
    """Bytes of an element, by the name of the storage."""
    import pickle

    widths = {}

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, reference):
            _, kind, key, _, count = reference
            widths[key] = kind.dtype.itemsize
            return torch.storage.TypedStorage(count, dtype=kind.dtype)

    Unpickler(io.BytesIO(archive.read("views/data.pkl"))).load()
    return widths


def resnet18(folder):
    """ResNet-18 with random weights, and what it gives."""
    model = ResNet18(small=False)
    model(torch.randn(4, 3, 64, 64))  # so that no statistic has its first value
    model.eval()
    torch.save({"state_dict": model.state_dict()}, folder / "resnet18.pt")
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.save({"x": x, "y": model(x)}, folder / "resnet18_values.pt")


def main():
    if sys.argv[1:2] == ["resnet18"]:
        torch.manual_seed(0)
        return resnet18(pathlib.Path(sys.argv[2]))
    known = {function.__name__: function for function in (halves, checkpoint, views)}
    for name in sys.argv[1:] or known:
        torch.manual_seed(0)
        known[name]()


if __name__ == "__main__":
    main()
