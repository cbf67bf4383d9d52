"""Shorten a line so that whoever reads it sees that it was longer."""

from __future__ import annotations


def cut_with_marker(line: bytes, limit: int, size: int | None = None) -> bytes:
    """Return *line* within *limit* bytes, the end telling how long it was: *size*.

    A character of UTF-8 is not cut in two. Where *limit* has no room for the marker
    and as much text again, the line is cut without it.
    """
    if len(line) <= limit:
        return line
    marker = f"…[cut by shipper: {size or len(line)} bytes]".encode()
    if limit < 2 * len(marker):
        return line[: character_end(line, limit)]
    return line[: character_end(line, limit - len(marker))] + marker


def character_end(line: bytes, limit: int) -> int:
    """Return the largest place up to *limit*, or three less, between characters."""
    for end in range(limit, max(limit - 4, -1), -1):
        if line[end] & 0xC0 != 0x80:  # no continuation: a character begins here
            return end
    return limit
