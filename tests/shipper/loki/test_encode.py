"""Encode: google's protobuf reads what the hand-made encoder wrote."""

from __future__ import annotations

from typing import Any

import cramjam
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, strategies as st

from shipper.loki.encode import (
    ENTRY_OVERHEAD_BYTES,
    METADATA_OVERHEAD_BYTES,
    encode_push,
    encode_request,
    format_labels,
    quote,
    varint,
)
from shipper.pipeline.entry import Entry, Metadata


TYPE = descriptor_pb2.FieldDescriptorProto


def push_request_class() -> Any:
    """Build Loki's PushRequest; `line` is bytes here, so any line can be compared."""
    file = descriptor_pb2.FileDescriptorProto(
        name="push.proto", package="logproto", syntax="proto3"
    )
    messages: dict[str, list[tuple[str, int, int, str, bool]]] = {
        "Timestamp": [
            ("seconds", 1, TYPE.TYPE_INT64, "", False),
            ("nanos", 2, TYPE.TYPE_INT32, "", False),
        ],
        "Entry": [
            ("timestamp", 1, TYPE.TYPE_MESSAGE, ".logproto.Timestamp", False),
            ("line", 2, TYPE.TYPE_BYTES, "", False),
            ("structuredMetadata", 3, TYPE.TYPE_MESSAGE, ".logproto.Pair", True),
        ],
        "Pair": [
            ("name", 1, TYPE.TYPE_STRING, "", False),
            ("value", 2, TYPE.TYPE_STRING, "", False),
        ],
        "Stream": [
            ("labels", 1, TYPE.TYPE_STRING, "", False),
            ("entries", 2, TYPE.TYPE_MESSAGE, ".logproto.Entry", True),
        ],
        "PushRequest": [
            ("streams", 1, TYPE.TYPE_MESSAGE, ".logproto.Stream", True),
        ],
    }
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, number, kind, type_name, repeated in fields:
            message.field.add(
                name=field,
                number=number,
                type=kind,
                type_name=type_name or None,
                label=TYPE.LABEL_REPEATED if repeated else TYPE.LABEL_OPTIONAL,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("logproto.PushRequest")
    )


PushRequest = push_request_class()

texts = st.one_of(st.text(max_size=20), st.integers(100, 20_000).map("x".__mul__))
metadata = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
entries_of_any_kind = st.lists(
    st.builds(
        Entry,
        st.integers(min_value=-(2**62), max_value=2**63 - 1),
        st.one_of(
            st.binary(max_size=200),
            st.integers(0, 40000).map(lambda size: b"x" * size),
        ),
        st.one_of(st.just(()), metadata),
    ),
    max_size=12,
)


@given(labels=st.text(max_size=300), entries=entries_of_any_kind)
def test_google_reads_back_what_was_written(labels: str, entries: list[Entry]) -> None:
    body = bytes(cramjam.snappy.decompress_raw(encode_push(labels, entries)))
    (stream,) = PushRequest.FromString(body).streams
    assert stream.labels == labels
    assert [read(entry) for entry in stream.entries] == entries


def read(entry: Any) -> Entry:
    """Return *entry* as google has read it."""
    time = entry.timestamp.seconds * 1_000_000_000 + entry.timestamp.nanos
    pairs = tuple((pair.name, pair.value) for pair in entry.structuredMetadata)
    return Entry(time, entry.line, pairs)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=3).map(tuple))
def test_overhead_of_metadata_is_what_batches_reckon_with(pairs: Metadata) -> None:
    plain = Entry(2**62, b"z" * 20_000)
    added = len(encode_request("{}", [plain._replace(metadata=pairs)])) - len(
        encode_request("{}", [plain])
    )
    text = sum(len(part.encode()) for pair in pairs for part in pair)
    assert added - text <= METADATA_OVERHEAD_BYTES * len(pairs)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (b"caf\xe9 \xff".decode("utf-8", "surrogateescape"), "caf\ufffd \ufffd"),
        ("\ud800", "\ufffd"),
        ("größe 日本 \x00", "größe 日本 \x00"),
    ],
)
def test_metadata_that_is_no_utf8_does_not_spoil_the_push(
    value: str, sent: str
) -> None:
    entries = [Entry(1, b"a", ((value, value),)), Entry(2, b"b")]
    (stream,) = PushRequest.FromString(encode_request("{}", entries)).streams
    assert [read(entry) for entry in stream.entries] == [
        Entry(1, b"a", ((sent, sent),)),
        Entry(2, b"b"),
    ]


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 16000, 16383, 16384, 300_000])
@pytest.mark.parametrize("nanos", [0, 127, 128, 16383, 16384, 2**28, 999_999_999])
def test_sizes_and_nanos_at_the_edges_of_a_varint(size: int, nanos: int) -> None:
    entry = Entry(1_795_360_482_000_000_000 + nanos, b"y" * size)
    (stream,) = PushRequest.FromString(encode_request("{}", [entry])).streams
    assert stream.entries[0].timestamp.nanos == nanos
    assert len(stream.entries[0].line) == size


@given(size=st.integers(0, 1 << 21))
def test_overhead_of_an_entry_is_what_batches_reckon_with(size: int) -> None:
    line = b"z" * size
    one = len(encode_request("{}", [Entry(2**62, line)]))
    two = len(encode_request("{}", [Entry(2**62, line)] * 2))
    assert two - one - size <= ENTRY_OVERHEAD_BYTES + 4  # the stream's length grows too


@given(st.integers(-(2**63), 2**63 - 1))
def test_varint_is_what_google_writes(number: int) -> None:
    stamp = PushRequest.DESCRIPTOR.file.message_types_by_name["Timestamp"]
    message = message_factory.GetMessageClass(stamp)(seconds=number)
    assert message.SerializeToString() == (b"\x08" + varint(number) if number else b"")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("nginx", '"nginx"'),
        ("", '""'),
        ('say "hi"', r'"say \"hi\""'),
        ("C:\\logs", r'"C:\\logs"'),
        ("a\nb\tc\r\a\b\f\v", r'"a\nb\tc\r\a\b\f\v"'),
        ("\x00\x1f\x7f", r'"\x00\x1f\x7f"'),
        ("größe 日本", '"größe 日本"'),
        ("\u00a0\u2028\ufeff", r'"\u00a0\u2028\ufeff"'),
        ("\U000e0001", r'"\U000e0001"'),
        (b"\xff\x80".decode("utf-8", "surrogateescape"), r'"\xff\x80"'),
        ("\ud800", r'"\ufffd"'),
    ],
)
def test_quote_is_go_quote(value: str, text: str) -> None:
    assert quote(value) == text


def test_labels_as_loki_prints_them() -> None:
    labels = (("container_name", 'we"b'), ("stream", "stdout"))
    assert format_labels(labels) == r'{container_name="we\"b", stream="stdout"}'
    assert format_labels(()) == "{}"


def test_label_names_that_are_no_text_do_not_stop_the_encoder() -> None:
    assert encode_request('{\ud800="x"}', [])
