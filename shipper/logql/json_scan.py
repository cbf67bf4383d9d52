"""JSON as tolerantly as Loki reads it (github.com/grafana/jsonparser).

What is behind the object is not looked at, values are only looked at as far as needed,
and what is wrong is found when it is reached: what stands before it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """What a value is."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    OBJECT = "object"
    ARRAY = "array"


class Value(NamedTuple):
    """A value as written, a string without its quotes."""

    kind: Kind
    raw: str


class JSONError(ValueError):
    """Report a line that is no JSON, in jsonparser's words.

    *key* is the member whose value cannot be read.
    """

    key: str | None = None


_STRING_END: Final = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)
_SPACE: Final = re.compile(r"[ \n\r\t]*")
_TOKEN: Final = re.compile(r"[^ \n\r\t,}\]]*")
_JSON: Final = "Malformed JSON error"
_OBJECT: Final = "Value looks like object, but can't find closing '}' symbol"
_ARRAY: Final = "Value is array, but can't find closing ']' symbol"
_STRING: Final = "Value is string, but can't find closing '\"' symbol"
_UNKNOWN: Final = "Unknown value type"
_BAD_ESCAPE: Final = "Encountered an invalid escape sequence in a string"
_LITERALS: Final = {"true": Kind.BOOLEAN, "false": Kind.BOOLEAN, "null": Kind.NULL}
_BRACKETS: Final = {
    "{": (Kind.OBJECT, re.compile(r'["{}]'), "{", "}", _OBJECT),
    "[": (Kind.ARRAY, re.compile(r'["\[\]]'), "[", "]", _ARRAY),
}
_ESCAPE: Final = re.compile(
    r'\\(?:(["\\/bfnrt])'
    r"|u([dD][89a-fA-F][0-9a-fA-F]{2})\\u([0-9a-fA-F]{4})"
    r"|u((?![dD][89a-fA-F])[0-9a-fA-F]{4})|(.?))",
    re.DOTALL,
)
_PLAIN: Final = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))


def members(text: str) -> Iterator[tuple[str, Value]]:
    """Yield the members of the object *text* starts with. Raises JSONError."""
    at = _next(text, 0, _OBJECT)
    if text[at] != "{":
        raise JSONError(_OBJECT)
    at = _next(text, at + 1, _JSON)
    while at < len(text):
        if text[at] == "}":
            return
        if text[at] != '"':
            raise JSONError(_OBJECT)
        key, at = _key(text, at + 1)
        at = _next(text, at, _JSON)
        if text[at] != ":":
            raise JSONError(_JSON)
        try:
            value, at = value_at(text, _next(text, at + 1, _JSON))
        except JSONError as error:
            error.key = key
            raise
        yield key, value
        at = _next(text, at, _ARRAY)
        if text[at] == "}":
            return
        if text[at] != ",":
            raise JSONError(_OBJECT)
        at = _next(text, at + 1, _ARRAY)
    raise JSONError(_OBJECT)


def elements(text: str) -> Iterator[Value]:
    """Yield the elements of the array *text* starts with. Raises JSONError."""
    at = _next(text, 1, _JSON)
    while text[at] != "]":
        value, at = value_at(text, at)
        yield value
        at = _next(text, at, _ARRAY)
        if text[at] == "]":
            return
        if text[at] != ",":
            raise JSONError(_ARRAY)
        at = _next(text, at + 1, _ARRAY)


def _next(text: str, at: int, error: str) -> int:
    space = _SPACE.match(text, at)
    at = space.end() if space else at
    if at >= len(text):
        raise JSONError(error)
    return at


def _key(text: str, at: int) -> tuple[str, int]:
    end = _STRING_END.match(text, at)
    if end is None:
        raise JSONError(_JSON)
    return unescaped(end[0][:-1]), end.end()


def value_at(text: str, at: int) -> tuple[Value, int]:
    """Return the value at *at* and where it ends. Raises JSONError."""
    if text[at] == '"':
        end = _STRING_END.match(text, at + 1)
        if end is None:
            raise JSONError(_STRING)
        return Value(Kind.STRING, end[0][:-1]), end.end()
    if text[at] in _BRACKETS:
        return _block(text, at)
    token = _TOKEN.match(text, at)
    raw = token[0] if token else ""
    kind = _LITERALS.get(raw)
    if kind is None:
        if raw[:1] not in {*"0123456789-"} or not raw:
            raise JSONError(_UNKNOWN)
        kind = Kind.NUMBER
    return Value(kind, raw), at + len(raw)


def _block(text: str, start: int) -> tuple[Value, int]:
    kind, signs, opening, closing, error = _BRACKETS[text[start]]
    level, at = 0, start
    while sign := signs.search(text, at):
        at = sign.end()
        if sign[0] == '"':
            end = _STRING_END.match(text, at)
            if end is None:
                break
            at = end.end()
        elif sign[0] == opening:
            level += 1
        elif sign[0] == closing:
            level -= 1
            if level == 0:
                return Value(kind, text[start:at]), at
    raise JSONError(error)


def unescaped(raw: str) -> str:
    """Return the text of the string written as *raw*. Raises JSONError."""
    return _ESCAPE.sub(_resolved, raw) if "\\" in raw else raw


def _resolved(found: re.Match[str]) -> str:
    plain, high, low, code, _ = found.groups()
    if plain:
        return _PLAIN[plain]
    if code:
        return chr(int(code, 16))
    if not high or int(low, 16) < 0xDC00:
        raise JSONError(_BAD_ESCAPE)
    pair = ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00) + 0x10000
    return chr(pair) if 0 <= pair < 0x110000 else "\ufffd"
