"""The values that travel from a request to the file and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from shipper.pipeline.entry import Entry, Labels, Metadata


SERVICE_NAME: Final = "service_name"


class Stream(NamedTuple):
    """One stream whose labels are parsed, normalised and printed again."""

    labels: Labels
    text: str
    entries: list[Entry]


class Refusal(NamedTuple):
    """Lines that were not stored: what the client is told and what is counted."""

    status: int
    text: str
    reason: str
    lines: int
    size_bytes: int


def entry_bytes(entry: Entry) -> int:
    """Return what *entry* weighs in Loki's limits (util.EntryTotalSize)."""
    return (
        len(entry.line) + metadata_bytes(entry.metadata)
        if entry.metadata
        else len(entry.line)
    )


@lru_cache(maxsize=64)  # mostly the level alone
def metadata_bytes(metadata: Metadata) -> int:
    """Return the weight of *metadata*: names and values, in bytes."""
    return sum(len(name.encode()) + len(value.encode()) for name, value in metadata)


def total_bytes(entries: Sequence[Entry]) -> int:
    """Return the weight of *entries* together."""
    return sum(map(entry_bytes, entries))
