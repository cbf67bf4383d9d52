"""Strings of LogQL: Go's escapes (strconv.Unquote)."""

from __future__ import annotations

import re
from typing import Final


_ESCAPE: Final = re.compile(
    rb"\\(?:([abfnrtv\\\"'])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    rb"|([0-3][0-7]{2})|(.?))",
    re.DOTALL,
)
_ESCAPED: Final = dict(zip(b"abfnrtv\\\"'", b"\a\b\f\n\r\t\v\\\"'", strict=True))


def unquote(text: str) -> str:
    """Resolve Go's escapes; bytes that are no UTF-8 become surrogate escapes.

    *text* stands without its quotes. Raises ValueError in the words of text/scanner.
    """
    if "\\" not in text:
        return text

    def resolve(found: re.Match[bytes]) -> bytes:
        simple, byte, short, long, octal, other = found.groups()
        if simple:
            return bytes([_ESCAPED[simple[0]]])
        if byte or octal:
            return bytes([int(byte, 16) if byte else int(octal, 8)])
        code = int(short or long or b"-1", 16)
        if other is not None or not 0 <= code < 0x110000 or 0xD800 <= code < 0xE000:
            raise ValueError("invalid char escape")
        return chr(code).encode()

    raw = text.encode("utf-8", "surrogateescape")
    return _ESCAPE.sub(resolve, raw).decode("utf-8", "surrogateescape")
