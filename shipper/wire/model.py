"""What a push holds, as it arrived (Loki pkg/push/push.proto: Stream and Entry)."""

from __future__ import annotations

from typing import Final, NamedTuple

from shipper.pipeline.entry import Entry


SECOND_NS: Final = 1_000_000_000
MAX_NS: Final = (1 << 63) - 1
MIN_NS: Final = -(1 << 63)


class PushStream(NamedTuple):
    """One stream of a push: the label text is not parsed yet."""

    labels_text: str
    entries: list[Entry]
