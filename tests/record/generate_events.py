"""Writes `events.bin`, with which a test of `src/record/events/` compares its bytes: records by TensorBoard's own
writer.

    python tests/record/generate_events.py
"""

import pathlib

from tensorboard.compat.proto import event_pb2, histogram_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

Value = summary_pb2.Summary.Value


def summary(step, *values):
    return event_pb2.Event(wall_time=1.25, step=step, summary=summary_pb2.Summary(value=values))


text = tensor_pb2.TensorProto(
    dtype=types_pb2.DT_STRING, tensor_shape=tensor_shape_pb2.TensorShapeProto(), string_val=["größer".encode()]
)
plugin = summary_pb2.SummaryMetadata(plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="text"))
events = [
    event_pb2.Event(wall_time=1.25, file_version="brain.Event:2"),
    event_pb2.Event(wall_time=1.25, step=7, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)),
    summary(1, Value(tag="train/loss", simple_value=0.5), Value(tag="nan", simple_value=float("nan"))),
    summary(
        2**40,
        Value(
            tag="weights",
            histo=histogram_pb2.HistogramProto(
                min=-1, max=2, num=3, sum=1.5, sum_squares=5.25, bucket_limit=[0, 1, 2], bucket=[1, 1, 1]
            ),
        ),
    ),
    summary(
        3,
        Value(
            tag="picture",
            image=summary_pb2.Summary.Image(height=2, width=300, colorspace=3, encoded_image_string=bytes(range(256))),
        ),
    ),
    summary(0, Value(tag="text", tensor=text, metadata=plugin)),
]
with open(pathlib.Path(__file__).with_name("events.bin"), "wb") as file:
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString(deterministic=True))
    writer.flush()
