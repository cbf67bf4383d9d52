"""Times, durations and sizes as Loki reads and writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from shipper.wire.model import SECOND_NS


_UNITS_NS: Final = {
    "y": 365 * 86400 * SECOND_NS,
    "w": 7 * 86400 * SECOND_NS,
    "d": 86400 * SECOND_NS,
    "h": 3600 * SECOND_NS,
    "m": 60 * SECOND_NS,
    "s": SECOND_NS,
    "ms": 1_000_000,
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SIZES: Final = {"": 1, "B": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_SIZE: Final = re.compile(r"(\d+)\s*(?:([KMGTPE])B?|B)?")


def format_duration(ns: int) -> str:
    """Return *ns* as `parse_prometheus_duration` reads it: ``7d``, ``30d1h``."""
    text = ""
    for unit, size in _UNITS_NS.items():
        if unit not in {"y", "w"} and ns >= size:
            text += f"{ns // size}{unit}"
            ns %= size
    return text or "0s"


def parse_size(text: str) -> int:
    """Return *text* (``256KB``, ``3MB``, ``1048576``) in bytes; units are 1024.

    Raises ValueError. As Loki's flagext.ByteSize, case does not matter.
    """
    match = _SIZE.fullmatch(text.strip().upper())
    if match is None:
        raise ValueError(f'invalid size "{text}": expected a number and B, KB, MB, GB')
    number, unit = match.groups()
    return int(number) * (1024 ** _SIZES[unit] if unit else 1)


def format_size(size: int) -> str:
    """Return *size* as Loki's ByteSize prints it: the largest unit that divides it."""
    for exponent, unit in ((6, "E"), (5, "P"), (4, "T"), (3, "G"), (2, "M"), (1, "K")):
        if size and size % 1024**exponent == 0:
            return f"{size // 1024**exponent}{unit}B"
    return f"{size}B"


def rfc3339(ns: int) -> str:
    """Return the time *ns* as Go's time.RFC3339 in UTC: whole seconds."""
    return _date(ns).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def go_time(ns: int) -> str:
    """Return the time *ns* as Go prints a UTC time.Time: no trailing zeros."""
    text = _date(ns).strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")
    fraction = f"{ns % SECOND_NS:09d}".rstrip("0")
    return f"{text}.{fraction} +0000 UTC" if fraction else f"{text} +0000 UTC"


def _date(ns: int) -> datetime:
    return _EPOCH + timedelta(seconds=ns // SECOND_NS)
