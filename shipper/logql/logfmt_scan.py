"""Read logfmt as Loki does: what is no pair is skipped, or ends it when strict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final


class LogfmtError(ValueError):
    """Report where a line stops being logfmt."""


_GARBAGE: Final = re.compile(r"[\0- ]*")
_WORD: Final = re.compile(r'[^\0- ="]*')
_REST: Final = re.compile(r"[^\0- ]*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_INVALID: Final = re.compile("[\ud800-\udfff\ufffd]")
_ESCAPE: Final = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u([0-9a-fA-F]{4})|([\"\\/'bfnrt]))|([\0-\x1f\\])",
    re.DOTALL,
)
_SINGLE: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def pairs(text: str, *, strict: bool) -> Iterator[tuple[str, str]]:
    """Yield key and value from left to right. Raises LogfmtError when *strict*."""
    at = 0
    while (at := _end(_GARBAGE, text, at)) < len(text):
        start, at = at, _end(_WORD, text, at)
        key, mark = text[start:at], text[at : at + 1]
        wrong = _wrong_key(key, mark)
        value = ""
        if not wrong and mark == "=":
            value, at, wrong = _value(text, at + 1)
        if not wrong:
            yield key, value
            continue
        if strict:
            place = len(text[:at].encode("utf-8", "surrogateescape")) + 1
            raise LogfmtError(f"logfmt syntax error at pos {place} : {wrong}")
        if "quoted" not in wrong:
            at = _end(_REST, text, at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    assert found is not None  # each may be empty
    return found.end()


def _wrong_key(key: str, mark: str) -> str:
    if mark == '"' or (mark == "=" and not key):
        return f"unexpected '{mark}'"
    return "invalid key" if not key.isascii() and _INVALID.search(key) else ""


def _value(text: str, at: int) -> tuple[str, int, str]:
    """Return the value at *at*, where it ends, and what is wrong with it."""
    if text[at : at + 1] != '"':
        end = _end(_WORD, text, at)
        mark = text[end : end + 1]
        wrong = f"unexpected '{mark}'" if mark and mark in '="' else ""
        return text[at:end], end, wrong
    quoted = _QUOTED.match(text, at)
    if quoted is None:
        return "", len(text), "unterminated quoted value"
    if "\\" not in quoted[1]:
        return quoted[1], quoted.end(), ""
    try:
        return _ESCAPE.sub(_resolved, quoted[1]), quoted.end(), ""
    except ValueError:
        return "", quoted.end(), "invalid quoted value"


def _resolved(found: re.Match[str]) -> str:
    high, low, code, single, bad = found.groups()
    if bad:
        raise ValueError(bad)
    if single:
        return _SINGLE.get(single, str(single))
    if code:
        return _INVALID.sub("\ufffd", chr(int(code, 16)))
    return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
