"""Text of a log line as a terminal may see it: no byte of it is a command."""

from __future__ import annotations

import re
from typing import Final


RESET: Final = "\x1b[0m"

# Control characters but tab (C1 too, a terminal may take U+009B for ESC [), those that
# turn the direction of text, and halves of surrogate pairs.
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
# Colours and weights; 8 hides text and is no colour.
_COLOUR: Final = re.compile(r"\x1b\[(?!(?:[\d;]*;)?0*8[;m])[\d;]{0,30}m")
_NAMES: Final = {"\n": "\\n", "\r": "\\r"}


def escaped(text: str) -> str:
    """Return *text* with every control character written as Python writes it."""
    return text if text.isprintable() else _UNSAFE.sub(_escape, text)


def coloured(text: str) -> str:
    """Return *text* escaped, but with its own colours, which end with it."""
    if "\x1b" not in text:
        return escaped(text)
    parts, at = [], 0
    for found in _COLOUR.finditer(text):
        parts += [escaped(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*parts, escaped(text[at:]), RESET if parts else ""])


def uncoloured(text: str) -> str:
    """Return *text* escaped and without its own colours."""
    return escaped(_COLOUR.sub("", text) if "\x1b" in text else text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _NAMES.get(character) or (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    )
