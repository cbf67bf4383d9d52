"""The body of a push in the encoding a client is set to, and what that cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exporters.toolkit.compression import compress
from shipper.pipeline.entry import Entry, Labels

from .encode import encode_push, format_labels, utf8


class Body(NamedTuple):
    """What is posted. JSON is text: *replaced* counts bytes that were no UTF-8.

    *replaced_entries* are the entries they were in.
    """

    data: bytes
    replaced_entries: int = 0
    replaced_bytes: int = 0


class Stream(NamedTuple):
    """The labels of a stream, and as protobuf wants them, made once."""

    labels: Labels
    text: str

    @classmethod
    def of(cls, labels: Labels) -> Stream:
        """Return the stream of *labels*, which are sorted."""
        return cls(labels, format_labels(labels))


def protobuf_body(stream: Stream, entries: Sequence[Entry]) -> Body:
    """Return *entries* as protobuf in snappy: what promtail sends."""
    return Body(encode_push(stream.text, entries))


def json_body(stream: Stream, entries: Sequence[Entry]) -> Body:
    """Return *entries* as JSON in gzip, for gateways that read nothing else.

    1.3 times the CPU of protobuf, here as in Loki, for a third fewer bytes.
    """
    values: list[Any] = []
    replaced_entries = replaced_bytes = 0
    for timestamp_ns, line, metadata in entries:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode("utf-8", "replace")
            replaced_entries += 1
            replaced_bytes += len(line) - len(line.decode("utf-8", "ignore").encode())
        value: list[Any] = [str(timestamp_ns), text]
        if metadata:
            value.append({_text(name): _text(part) for name, part in metadata})
        values.append(value)
    labels = {_text(name): _text(part) for name, part in stream.labels}
    push = {"streams": [{"stream": labels, "values": values}]}
    data = json.dumps(push, ensure_ascii=False, separators=(",", ":")).encode()
    return Body(compress(data), replaced_entries, replaced_bytes)


BODIES: Final[Mapping[str, Callable[[Stream, Sequence[Entry]], Body]]] = {
    "protobuf": protobuf_body,
    "json": json_body,
}


def _text(text: str) -> str:
    return text if text.isascii() else utf8(text).decode()
