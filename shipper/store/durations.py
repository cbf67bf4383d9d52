"""Times and durations as Loki writes them."""

from __future__ import annotations

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


def format_duration(ns: int) -> str:
    """Return *ns* as `parse_prometheus_duration` reads it: ``7d``, ``30d1h``."""
    text = ""
    for unit, size in _UNITS_NS.items():
        if unit not in {"y", "w"} and ns >= size:
            text += f"{ns // size}{unit}"
            ns %= size
    return text or "0s"


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
