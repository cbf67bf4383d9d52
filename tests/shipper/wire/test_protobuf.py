from __future__ import annotations

import contextlib
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, strategies as st

from shipper.loki.encode import encode_request
from shipper.pipeline.entry import Entry
from shipper.wire.errors import DecodeError
from shipper.wire.protobuf import decode_push


Field = descriptor_pb2.FieldDescriptorProto


def _push_request() -> Any:
    """Return google's class for push.proto; bytes where Go does not check UTF-8."""
    file = descriptor_pb2.FileDescriptorProto(name="store_test.proto", package="storet")

    def message(name: str, *fields: tuple[str, int, bool]) -> None:
        found = file.message_type.add(name=name)
        for number, (field, kind, repeated) in enumerate(fields, 1):
            label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            added = found.field.add(name=field, number=number, label=label)
            added.type = kind  # type: ignore[assignment]
            if kind == Field.TYPE_MESSAGE:
                added.type_name = ".storet." + TYPES[field]

    message(
        "Stamp", ("sec", Field.TYPE_INT64, False), ("nanos", Field.TYPE_INT32, False)
    )
    message(
        "Pair", ("name", Field.TYPE_BYTES, False), ("value", Field.TYPE_BYTES, False)
    )
    message(
        "Line",
        ("ts", Field.TYPE_MESSAGE, False),
        ("line", Field.TYPE_BYTES, False),
        ("metadata", Field.TYPE_MESSAGE, True),
    )
    message(
        "Stream",
        ("labels", Field.TYPE_BYTES, False),
        ("entries", Field.TYPE_MESSAGE, True),
        ("hash", Field.TYPE_UINT64, False),
    )
    message("Push", ("streams", Field.TYPE_MESSAGE, True))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("storet.Push"))


TYPES = {"ts": "Stamp", "metadata": "Pair", "entries": "Line", "streams": "Stream"}
PUSH_REQUEST = _push_request()

TIMES = st.integers(0, (1 << 63) - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ENTRIES = st.lists(
    st.tuples(TIMES, st.binary(max_size=200), st.lists(st.tuples(TEXTS, TEXTS))),
    max_size=5,
)


@given(st.lists(st.tuples(TEXTS, ENTRIES), max_size=3))
def test_reads_what_google_writes(streams: list[tuple[str, list[Any]]]) -> None:
    request = PUSH_REQUEST()
    for labels, entries in streams:
        stream = request.streams.add(labels=labels.encode(), hash=7)
        for time, line, metadata in entries:
            entry = stream.entries.add(line=line)
            entry.ts.sec, entry.ts.nanos = divmod(time, 1_000_000_000)
            for name, value in metadata:
                entry.metadata.add(name=name.encode(), value=value.encode())
    found = decode_push(request.SerializeToString())
    assert [(s.labels_text, s.entries) for s in found] == [
        (labels, [Entry(t, line, tuple(m)) for t, line, m in entries])
        for labels, entries in streams
    ]


@given(st.lists(st.tuples(TIMES, st.binary(max_size=300))))
def test_reads_what_the_shipper_writes(entries: list[tuple[int, bytes]]) -> None:
    body = encode_request('{a="b"}', [Entry(*entry) for entry in entries])
    (stream,) = decode_push(body)
    assert stream.labels_text == '{a="b"}'
    assert [entry[:2] for entry in stream.entries] == entries


@given(st.binary(max_size=64))
def test_nothing_but_decode_errors(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        decode_push(data)


@given(st.integers(0, 200))
def test_a_cut_message_is_refused(cut: int) -> None:
    body = encode_request('{a="b"}', [Entry(5, b"x" * 150)])
    if cut < len(body) and cut:
        with pytest.raises(DecodeError, match="unexpected EOF"):
            decode_push(body[:cut])


@pytest.mark.parametrize(
    ("seconds", "nanos", "text"),
    [
        (253402300800, 0, "after 10000-01-01"),
        (-62135596801, 0, "before 0001-01-01"),
        (1, 1_000_000_000, r"nanos not in range \[0, 1e9\)"),
        (1, -1, r"nanos not in range \[0, 1e9\)"),
    ],
)
def test_a_time_that_go_refuses(seconds: int, nanos: int, text: str) -> None:
    request = PUSH_REQUEST()
    entry = request.streams.add(labels=b"{}").entries.add(line=b"x")
    entry.ts.sec, entry.ts.nanos = seconds, nanos
    with pytest.raises(DecodeError, match=text):
        decode_push(request.SerializeToString())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x08\x01", "proto: wrong wireType = 0 for field Streams"),
        (b"\x0b", "proto: illegal wireType 3"),
        (b"\x00", "proto: illegal tag 0"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "integer overflow"),
    ],
)
def test_what_is_no_push_request(data: bytes, text: str) -> None:
    with pytest.raises(DecodeError, match=text):
        decode_push(data)
