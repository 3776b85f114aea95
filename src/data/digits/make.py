"""Writes digits.bin, the 8x8 digits that are embedded in taut, from scikit-learn's digits.csv.gz.

    python3 make.py path/to/sklearn/datasets/data/digits.csv.gz

The format is described in mod.rs beside this file.
"""

import gzip
import pathlib
import sys


def packed(line):
    *pixels, label = (int(float(number)) for number in line.split(","))
    assert len(pixels) == 64 and all(0 <= pixel <= 16 for pixel in pixels) and 0 <= label <= 9
    rows = [pixels[start : start + 8] for start in range(0, 64, 8)]
    inked = bytes(sum((pixel > 0) << (7 - column) for column, pixel in enumerate(row)) for row in rows)
    nibbles = [pixel - 1 for pixel in pixels if pixel > 0]
    nibbles += [0] * (len(nibbles) % 2)
    pairs = zip(nibbles[::2], nibbles[1::2])
    return bytes([label]) + inked + bytes(high << 4 | low for high, low in pairs)


with gzip.open(sys.argv[1], "rt") as lines:
    data = b"".join(map(packed, lines))
pathlib.Path(__file__).with_name("digits.bin").write_bytes(data)
