"""Writes the files in `files/` that tests read as files of PyTorch, beside those that `generate.py` writes.

    python tests/pytorch/files.py            # every file
    python tests/pytorch/files.py halves     # only this one

It needs torch, numpy and safetensors.
"""

import math
import pathlib
import sys

import torch

FILES = pathlib.Path(__file__).parent / "files"


def halves():
    """The same numbers in all floating-point types, for the bits that PyTorch rounds to."""
    from safetensors.torch import save_file

    exponents = torch.randint(-30, 16, (400,)).double()
    wide = (torch.rand(400, dtype=torch.float64) * 2 - 1) * 2.0**exponents
    # (no NaN, of which there are many bits.) Halfway between neighbours of either type, and beside it; the ends of the range of binary16
    ties = [sign * (1 + (n + 0.5) * 2.0**-bits) * 2.0**e for bits in (7, 10) for n in range(4) for e in (-20, -14, 0, 9) for sign in (1, -1)]
    special = [0.0, -0.0, math.inf, -math.inf, 65504.0, 65519.0, 2.0**-14, 2.0**-24, 2.0**-25, 1.5 * 2.0**-25]
    wide = torch.cat([wide, torch.tensor(ties + special, dtype=torch.float64)])
    narrow = wide.float()
    names = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
    tensors = {"narrow.f32": narrow, "wide.f64": wide, "wide.f32": narrow.clone()}
    tensors |= {f"narrow.{name}": narrow.to(names[name]) for name in ("f16", "bf16")}
    tensors |= {f"wide.{name}": wide.to(names[name]) for name in ("f16", "bf16")}
    save_file(tensors, FILES / "halves.safetensors")


def main():
    known = {function.__name__: function for function in (halves,)}
    for name in sys.argv[1:] or known:
        torch.manual_seed(0)
        known[name]()


if __name__ == "__main__":
    main()
