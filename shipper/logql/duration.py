"""Prometheus durations: ``[5m]``, ``offset 1h30m``, ``refresh_interval: 1d``.

Counterpart of prometheus/common model/time.go ParseDuration.
"""

from __future__ import annotations

import re
from typing import Final

from exporters.toolkit.duration import parse_nanoseconds


_PART: Final = re.compile(r"([0-9]+)([^0-9]+)")
_UNITS: Final = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 7 * 86_400_000_000_000,
    "y": 365 * 86_400_000_000_000,
}
_MAX_NANOSECONDS: Final = (1 << 63) - 1


def parse_prometheus_duration(text: str) -> int:
    """Return the nanoseconds of ``1d12h``-style *text*. Raises ValueError.

    Units go from large to small, each at most once; weeks and years are 7 and 365
    days; only "0" needs no unit.
    """
    if text == "0":
        return 0
    if not text:
        raise ValueError("empty duration string")
    total, smallest, end = 0, _MAX_NANOSECONDS, 0
    invalid = ValueError(f'not a valid duration string: "{text[:60]}"')
    for part in _PART.finditer(text):
        if part.start() != end or len(part[1]) > 20:
            raise invalid
        end = part.end()
        unit = _UNITS.get(part[2])
        if unit is None:
            raise ValueError(f'unknown unit "{part[2][:60]}" in duration "{text[:60]}"')
        if unit >= smallest:
            raise invalid
        total, smallest = total + int(part[1]) * unit, unit
    if end != len(text):
        raise invalid
    if total > _MAX_NANOSECONDS:
        raise ValueError("duration out of range")
    return total


def parse_duration(text: str) -> int:
    """Return the nanoseconds of *text*, Prometheus' or else Go's. Raises ValueError."""
    try:
        return parse_prometheus_duration(text)
    except ValueError:
        return parse_nanoseconds(text)
