"""Where the text of a record meets a regular expression.

A record's text holds bytes that are no UTF-8 as surrogates. For a pattern each is one
U+FFFD, as in Go; in what a group caught it is itself again.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import re2

from exporters.toolkit.regex import Groups, Regex

from .values import is_utf8


Spans = tuple[tuple[int, int], ...]
"""Where each group of a match begins and ends, the whole match first; -1: unset."""

_BYTES: Final = re.compile("[\udc80-\udcff]")


def search(regex: Regex, text: str) -> bool:
    """Say whether *regex* matches anywhere in *text*."""
    return regex.search(text)


def find(regex: Regex, text: str) -> Groups[str] | None:
    """Return the leftmost match of *regex* anywhere in *text*."""
    if is_utf8(text):
        return regex.find(text)
    found = regex.find(to_bytes(text))
    return None if found is None else _decoded(found, regex.names)


def extract(regex: Regex, text: str) -> dict[str, str] | None:
    """Return the named groups of that match: empty if unset, of one name the last."""
    if is_utf8(text):
        return regex.extract(text)
    return None if (found := find(regex, text)) is None else found.texts()


def find_all(regex: Regex, text: str) -> list[Spans]:
    """Return every match from left to right (Go's FindAllSubmatchIndex).

    An empty match right behind another match does not count.
    """
    data = (text if text.isascii() else _BYTES.sub("\ufffd", text)).encode()
    matches = _matches(_compiled(regex.pattern), data)
    return matches if len(data) == len(text) else _in_characters(matches, data)


def to_bytes(text: str) -> bytes:
    """Return *text* as the bytes it was read from."""
    return text.encode("utf-8", "surrogateescape")


def to_text(data: bytes) -> str:
    """Return *data* as a record holds it; undoes `to_bytes`."""
    return data.decode("utf-8", "surrogateescape")


def _decoded(found: Groups[bytes], names: tuple[str, ...]) -> Groups[str]:
    """Return *found* as text: its spans number its groups instead of bytes."""
    values = found.values()

    def cut(start: int, end: int) -> str:
        return "".join(to_text(value or b"") for value in values[start:end])

    spans = [
        (-1, -1) if value is None else (index, index + 1)
        for index, value in enumerate(values)
    ]
    return Groups(cut, spans, names)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    """Return *pattern* as RE2 takes it: `Regex` cannot start in the middle of a text.

    Starting there is not the same as cutting the text: ``^`` looks back.
    """
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern.encode(), options)


def _matches(compiled: Any, data: bytes) -> list[Spans]:
    matches: list[Spans] = []
    position, last_end = 0, -1
    while position <= len(data):
        found = compiled.search(data, position)
        if found is None:
            break
        start, end = found.span()
        if end > position or start != last_end:
            matches.append(tuple(found.span(i) for i in range(compiled.groups + 1)))
        position = end if end > position else _next_character(data, position)
        last_end = end
    return matches


def _next_character(data: bytes, position: int) -> int:
    position += 1
    while position < len(data) and data[position] & 0xC0 == 0x80:
        position += 1
    return position


def _in_characters(matches: list[Spans], data: bytes) -> list[Spans]:
    """Return *matches* in *data* as offsets into its text, in one pass over it."""
    offsets = sorted(set(chain.from_iterable(chain.from_iterable(matches))) - {-1})
    index = {-1: -1}
    last = characters = 0
    for offset in offsets:
        characters += len(data[last:offset].decode())
        index[offset] = characters
        last = offset
    return [tuple((index[a], index[b]) for a, b in spans) for spans in matches]
