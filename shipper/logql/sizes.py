"""Sizes: ``5MB``, ``1.5 KiB`` (github.com/dustin/go-humanize ParseBytes)."""

from __future__ import annotations

import re
from typing import Final

from exporters.toolkit.gotext import parse_float


_LETTERS: Final = "kmgtpe"
_UNITS: Final = {
    "": 1,
    "b": 1,
    **{f"{x}{b}": 1000**n for n, x in enumerate(_LETTERS, 1) for b in ("", "b")},
    **{f"{x}i{b}": 1024**n for n, x in enumerate(_LETTERS, 1) for b in ("", "b")},
}
_NUMBER: Final = re.compile(r"[\d.,]*")


def parse_size(text: str) -> int:
    """Return *text* in bytes. Raises ValueError in humanize's words."""
    found = _NUMBER.match(text)
    assert found is not None  # it may be empty
    value = parse_float(found[0].replace(",", ""))
    unit = text[found.end() :].strip().lower()
    if unit not in _UNITS:
        raise ValueError(f"unhandled size name: {unit}")
    value *= float(_UNITS[unit])
    if value >= 2.0**64:
        raise ValueError(f"too large: {text}")
    return int(value)
