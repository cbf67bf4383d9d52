"""Quoted strings of Prometheus' metric syntax (promql/parser, util/strutil)."""

from __future__ import annotations

import re
from typing import Final

from shipper.loki.encode import quote


STRING: Final = re.compile(
    r'"((?:[^"\\\n\ufffd]|\\.)*)"|\'((?:[^\'\\\n\ufffd]|\\.)*)\''
)
RAW: Final = re.compile(r"`([^`\ufffd]*)`")
_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\'\"])|([0-7]{3})|x([0-9A-Fa-f]{2})"
    r"|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))",
    re.DOTALL,
)
_CONTROL: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip


def rune(char: str) -> str:
    """Return *char* as Go's %q prints a rune."""
    if not char:
        return "'\\uffff'"  # Go's lexer has -1 there
    return "'\\''" if char == "'" else f"'{quote(char)[1:-1]}'".replace('\\"', '"')


def unescape(body: str, opening: str) -> str:
    """Return *body*, quoted by *opening*, with Go's escapes resolved (strutil.Unquote).

    Raises ValueError with the lexer's text.
    """
    if "\\" not in body:
        return body
    text = _ESCAPE.sub(lambda match: _character(match, opening), body)
    if any("\udc80" <= char <= "\udcff" for char in text):  # bytes above 127
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text


def _character(match: re.Match[str], opening: str) -> str:
    simple, octal, hexa, short, long, other = match.groups()
    if simple in _CONTROL:
        return _CONTROL[simple]
    if simple and simple in {"\\", opening}:
        return str(simple)
    if octal or hexa:  # a byte: with its neighbours it may be UTF-8
        code = int(octal, 8) if octal else int(hexa, 16)
        if code > 255:
            raise _bad_code_point()
        return chr(code) if code < 128 else chr(0xDC00 + code)
    if short or long:
        code = int(short or long, 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise _bad_code_point()
        return chr(code)
    char = other or simple
    raise ValueError(f"unknown escape sequence U+{ord(char):04X} {rune(char)}")


def _bad_code_point() -> ValueError:
    return ValueError("escape sequence is an invalid Unicode code point")
