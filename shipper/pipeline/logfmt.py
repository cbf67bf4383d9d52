"""Read logfmt as go-logfmt does: ``key=value key="quoted value" key``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .values import is_utf8


class LogfmtError(ValueError):
    """Report where a line stops being logfmt."""


# Everything up to the space is white space; only a quote may end a value in mid-word.
_PAIR: Final = re.compile(
    r'[\0- ]*+(?P<key>[^\0- ="]++)'
    r'(?:="(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*+)"'
    r'|(?:=(?P<bare>[^\0- ="]*+))?(?=[\0- ]|\Z))',
    re.DOTALL,
)
_BLANK: Final = re.compile(r"[\0- ]*\Z")
_KEY: Final = re.compile(r'[\0- ]*+[^\0- ="]*+')
_BARE: Final = re.compile(r'[^\0- ="]*+')
_ESCAPE: Final = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u([0-9a-fA-F]{4})|([\"\\/'bfnrt]))"
    r"|([^\\\0-\x1f])|.",
    re.DOTALL,
)
_SINGLE: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def parse(text: str) -> Iterator[tuple[str, str]]:
    """Yield key and value from left to right; a key without value has an empty one.

    Raises LogfmtError at the first mistake, after all that is in front of it.
    """
    if "\n" not in text:
        return _record(text.removesuffix("\r"), 1)
    return _records(text)


def _records(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        yield from _record(line.removesuffix("\r"), number)


def _record(line: str, number: int) -> Iterator[tuple[str, str]]:
    position, match = 0, _PAIR.match
    while found := match(line, position):
        position = found.end()
        key, quoted, bare = found.groups()
        if not key.isascii() and ("\ufffd" in key or not is_utf8(key)):
            raise _error("invalid key", found.end("key"), number)
        if quoted is None:
            yield key, bare or ""
        elif "\\" in quoted:
            yield key, _unquoted(quoted, position, number)
        else:
            yield key, quoted
    if position < len(line) and not _BLANK.match(line, position):
        raise _mistake(line, position, number)


def _unquoted(quoted: str, position: int, number: int) -> str:
    parts = []
    for found in _ESCAPE.finditer(quoted):
        high, low, code, single, plain = found.groups()
        if plain:
            parts.append(plain)
        elif single:
            parts.append(_SINGLE.get(single, single))
        elif code:
            parts.append(chr(int(code, 16)))
        elif high:
            pair = (int(high, 16) - 0xD800) << 10 | int(low, 16) - 0xDC00
            parts.append(chr(0x10000 + pair))
        else:
            raise _error("invalid quoted value", position, number)
    return _SURROGATE.sub("\ufffd", "".join(parts))


def _mistake(line: str, position: int, number: int) -> LogfmtError:
    """Return what is wrong with the pair at *position*."""
    at = _end(_KEY, line, position)
    if line[at] == "=" and at > position and line[at - 1] > " ":
        if line[at + 1 : at + 2] == '"':
            return _error("unterminated quoted value", len(line), number)
        at = _end(_BARE, line, at + 1)
    return _error(f"unexpected '{line[at]}'", at, number)


def _end(pattern: re.Pattern[str], line: str, position: int) -> int:
    found = pattern.match(line, position)
    assert found is not None, "it matches nothing, too"
    return found.end()


def _error(text: str, position: int, number: int) -> LogfmtError:
    where = f"at pos {position + 1} on line {number}"
    return LogfmtError(f"logfmt syntax error {where}: {text}")
