"""Reads the event files of a run by TensorBoard, and prints what it found as one JSON object.

    python tests/record/read.py FOLDER
"""

import json
import struct
import sys
import zlib

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util

all_of_each = {"images": 0, "scalars": 0, "histograms": 0}
accumulator = event_accumulator.EventAccumulator(sys.argv[1], size_guidance=all_of_each)
accumulator.Reload()
tags = accumulator.Tags()


def size(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and zlib.crc32(png[12:29]) == struct.unpack(">I", png[29:33])[0]
    return struct.unpack(">II", png[16:24])


found = {
    "scalars": {tag: [[e.step, str(e.value)] for e in accumulator.Scalars(tag)] for tag in tags["scalars"]},
    "pictures": {
        tag: [[e.step, e.width, e.height, *size(e.encoded_image_string)] for e in accumulator.Images(tag)]
        for tag in tags["images"]
    },
    "histograms": {
        tag: [
            [e.step, h.min, h.max, h.num, h.sum, h.sum_squares, len(h.bucket_limit), sum(h.bucket)]
            for e in accumulator.Histograms(tag)
            for h in [e.histogram_value]
        ]
        for tag in tags["histograms"]
    },
    "texts": {
        tag: [tensor_util.make_ndarray(e.tensor_proto).item().decode() for e in accumulator.Tensors(tag)]
        for tag in tags["tensors"]
    },
}
print(json.dumps(found))
