"""What a push holds, as it arrived (Loki pkg/push/push.proto: Stream and Entry)."""

from __future__ import annotations

from typing import Final, NamedTuple

from shipper.pipeline.entry import Metadata


SECOND_NS: Final = 1_000_000_000
MAX_NS: Final = (1 << 63) - 1
MIN_NS: Final = -(1 << 63)


class LogEntry(NamedTuple):
    """One line, its time in nanoseconds since 1970, its structured metadata."""

    timestamp_ns: int
    line: bytes
    metadata: Metadata = ()


class PushStream(NamedTuple):
    """One stream of a push: the label text is not parsed yet."""

    labels_text: str
    entries: list[LogEntry]
