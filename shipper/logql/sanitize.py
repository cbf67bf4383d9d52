"""Names of labels out of keys (Loki pkg/logql/log/util.go)."""

from __future__ import annotations

import re
from typing import Final


_OTHER: Final = re.compile(r"[^a-zA-Z0-9_]")
_INVALID: Final = re.compile("[\ud800-\udfff\ufffd]")
LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def sanitized(key: str, *, first: bool = True) -> str:
    """Return *key* as a label name; the *first* part of one has no digit in front."""
    key = key.strip()
    if first and key[:1].isascii() and key[:1].isdigit():
        key = f"_{key}"
    return _OTHER.sub("_", key)


def without_invalid(text: str) -> str:
    """Return *text* with a space for each byte that is no UTF-8."""
    return text if text.isascii() else _INVALID.sub(" ", text)


def decoded(line: bytes) -> str:
    """Return *line* as text, bytes that are no UTF-8 as surrogates."""
    return line.decode("utf-8", "surrogateescape")
