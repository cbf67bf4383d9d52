"""A layout cut into what it is made of (Go time/format.go, nextStdChunk)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class Chunk(NamedTuple):
    """A piece of a layout.

    *field* is what it stands for: year, month, day, yday, weekday, hour, minute,
    second, half, fraction, offset, zone; "" for text that stands for itself.
    """

    field: str
    text: str


_FIELDS: Final = {
    "2006": "year", "06": "year",
    "January": "month", "Jan": "month", "01": "month", "1": "month",
    "Monday": "weekday", "Mon": "weekday",
    "02": "day", "_2": "day", "2": "day",
    "002": "yday", "__2": "yday",
    "15": "hour", "03": "hour", "3": "hour",
    "04": "minute", "4": "minute",
    "05": "second", "5": "second",
    "PM": "half", "pm": "half",
    "MST": "zone",
}  # fmt: skip
# What comes first wins: "_2006" is an underscore and a year, "Janet" no month.
_CHUNK: Final = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST"
    r"|0[1-6]|002|15|1|2006|2|_2(?!006)|__2|3|4|5|PM|pm"
    r"|[-Z](?:070000|07:00:00|0700|07:00|07)"
    r"|[.,](?:0+|9+)(?![0-9])"
)


def split_layout(layout: str) -> Iterator[Chunk]:
    """Yield the chunks of *layout*; joined, their texts are the layout."""
    end = 0
    for found in _CHUNK.finditer(layout):
        if found.start() > end:
            yield Chunk("", layout[end : found.start()])
        yield Chunk(_field(found[0]), found[0])
        end = found.end()
    if end < len(layout):
        yield Chunk("", layout[end:])


def bytewise(text: str) -> str:
    """Return *text* with one character per byte, for Go counts in bytes."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _field(text: str) -> str:
    if text[0] in ".,":
        return "fraction"
    return "offset" if text[0] in "-Z" else _FIELDS[text]
