"""The messages of client_model's metrics.proto, for Google's library to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    timestamp_pb2,
)


_PACKAGE = "io.prometheus.client"
_FIELD = descriptor_pb2.FieldDescriptorProto
_ONE, _MANY = _FIELD.LABEL_OPTIONAL, _FIELD.LABEL_REPEATED
_TYPES = {
    "double": _FIELD.TYPE_DOUBLE,
    "uint64": _FIELD.TYPE_UINT64,
    "string": _FIELD.TYPE_STRING,
    "int64": _FIELD.TYPE_INT64,
}
# Of each member its number, its type and whether it comes many times.
_MESSAGES: dict[str, dict[str, tuple[int, str, bool]]] = {
    "LabelPair": {"name": (1, "string", False), "value": (2, "string", False)},
    "Gauge": {"value": (1, "double", False)},
    "Counter": {
        "value": (1, "double", False),
        "created_timestamp": (3, ".google.protobuf.Timestamp", False),
    },
    "Quantile": {"quantile": (1, "double", False), "value": (2, "double", False)},
    "Summary": {
        "sample_count": (1, "uint64", False),
        "sample_sum": (2, "double", False),
        "quantile": (3, ".Quantile", True),
        "created_timestamp": (4, ".google.protobuf.Timestamp", False),
    },
    "Untyped": {"value": (1, "double", False)},
    "Bucket": {
        "cumulative_count": (1, "uint64", False),
        "upper_bound": (2, "double", False),
    },
    "Histogram": {
        "sample_count": (1, "uint64", False),
        "sample_sum": (2, "double", False),
        "bucket": (3, ".Bucket", True),
        "created_timestamp": (15, ".google.protobuf.Timestamp", False),
    },
    "Metric": {
        "label": (1, ".LabelPair", True),
        "gauge": (2, ".Gauge", False),
        "counter": (3, ".Counter", False),
        "summary": (4, ".Summary", False),
        "untyped": (5, ".Untyped", False),
        "timestamp_ms": (6, "int64", False),
        "histogram": (7, ".Histogram", False),
    },
    "MetricFamily": {
        "name": (1, "string", False),
        "help": (2, "string", False),
        "type": (3, "enum", False),
        "metric": (4, ".Metric", True),
        "unit": (5, "string", False),
    },
}
_KINDS = ("COUNTER", "GAUGE", "SUMMARY", "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM")


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="metrics.proto",
        package=_PACKAGE,
        syntax="proto2",
        dependency=[timestamp_pb2.DESCRIPTOR.name],
    )
    enum = file.enum_type.add(name="MetricType")
    for number, kind in enumerate(_KINDS):
        enum.value.add(name=kind, number=number)
    for name, members in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for key, (number, kind, repeated) in members.items():
            one = message.field.add(name=key, number=number)
            one.label = _MANY if repeated else _ONE
            if kind == "enum":
                one.type, one.type_name = _FIELD.TYPE_ENUM, f".{_PACKAGE}.MetricType"
            elif kind.startswith("."):
                inside = kind if kind.startswith(".google") else f".{_PACKAGE}{kind}"
                one.type, one.type_name = _FIELD.TYPE_MESSAGE, inside
            else:
                one.type = _TYPES[kind]
    return file


def _family_class() -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(_file())
    found = pool.FindMessageTypeByName(f"{_PACKAGE}.MetricFamily")
    return message_factory.GetMessageClass(found)


FAMILY = _family_class()


def read_delimited(data: bytes) -> Iterator[Any]:
    """Return the families that *data* holds, each behind its length."""
    place = 0
    while place < len(data):
        size = shift = 0
        while True:
            byte = data[place]
            place += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield FAMILY.FromString(data[place : place + size])
        place += size
    assert place == len(data)
