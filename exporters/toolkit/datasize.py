"""Sizes in bytes: ``256KB``, ``3MB``, ``1048576``; every unit is 1024 of the last.

Upstream counterpart: c2h5oh/datasize as Loki's and promtail's flagext.ByteSize use it.
"""

from __future__ import annotations

import re
from typing import Final


_SIZE: Final = re.compile(r"([0-9]+)\s*([A-Z]*)\s*", re.ASCII)
_UNITS: Final = {
    **dict.fromkeys(("", "B", "BYTE"), 0),
    **dict.fromkeys(("K", "KB", "KILO", "KILOBYTE", "KILOBYTES"), 1),
    **dict.fromkeys(("M", "MB", "MEGA", "MEGABYTE", "MEGABYTES"), 2),
    **dict.fromkeys(("G", "GB", "GIGA", "GIGABYTE", "GIGABYTES"), 3),
    **dict.fromkeys(("T", "TB", "TERA", "TERABYTE", "TERABYTES"), 4),
    **dict.fromkeys(("P", "PB", "PETA", "PETABYTE", "PETABYTES"), 5),
    **dict.fromkeys(("E", "EB"), 6),
}


def parse_byte_size(text: str) -> int:
    """Return the bytes of *text*: a whole number, and a unit in any case.

    Raises:
        ValueError: with the text of ``datasize.UnmarshalText``.
    """
    found = _SIZE.fullmatch(text.upper())
    if found is None or len(text) > 40 or found[2] not in _UNITS:
        raise ValueError(
            f'datasize.UnmarshalText: parsing "{text.upper()[:40]}": invalid syntax, '
            "expected a whole number and a unit: 256kb, 2M"
        )
    size = int(found[1]) * int(1024 ** _UNITS[found[2]])
    if size >= 1 << 63:
        raise ValueError(
            f'datasize.UnmarshalText: parsing "{text}": value out of range'
        )
    return size


def format_byte_size(size: int) -> str:
    """Return *size* as ``ByteSize.String`` prints it: the largest unit that divides."""
    for exponent, unit in ((6, "E"), (5, "P"), (4, "T"), (3, "G"), (2, "M"), (1, "K")):
        if size and size % 1024**exponent == 0:
            return f"{size // 1024**exponent}{unit}B"
    return f"{size}B"
