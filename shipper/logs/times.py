"""Points in time as people write them, in nanoseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from .errors import UsageError


SECOND_NS: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HINT: Final = (
    "write 2026-01-31T12:00:00Z, '2026-01-31 12:00', 2026-01-31, 12:00 (today), "
    "1h (ago), now, or seconds since 1970"
)
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_CLOCK_WIDTH: Final = {1: len("00:00"), 2: len("00:00:00")}
_FRACTION: Final = re.compile(r"(:\d{2})[.,](\d{1,9})")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)")
_UNITS: Final = {
    "ns": 1, "us": 1000, "µs": 1000, "ms": 1_000_000, "s": SECOND_NS,
    "m": 60 * SECOND_NS, "h": 3600 * SECOND_NS, "d": 86400 * SECOND_NS,
    "w": 7 * 86400 * SECOND_NS,
}  # fmt: skip
# Loki's times are 64 bits of nanoseconds: years 1677 to 2262.
_MAX_NS: Final = (1 << 63) - 1


def parse_span(text: str, flag: str) -> int:
    """Return the nanoseconds of ``90m``, ``1h30m`` or ``1.5h``.

    Raises:
        UsageError: *text* is no duration or none that fits; it names *flag*.
    """
    parts = _DURATION.findall(text)
    found = "".join(number + unit for number, unit in parts)
    if not parts or found != text:
        raise UsageError(
            f"{flag}: {text!r} is not a duration", "write 30s, 15m, 1h, 7d"
        )
    total = sum(_scaled(number, _UNITS[unit]) for number, unit in parts)
    if total > _MAX_NS:
        raise UsageError(f"{flag}: {text!r} is longer than 292 years")
    return total


def parse_time(text: str, flag: str, now_ns: int, zone: tzinfo | None) -> int:
    """Return the time *text*; *zone* (None: local) is that of texts without one.

    Raises:
        UsageError: *text* is no time; it names *flag*.
    """
    word = text.strip()
    if word == "now":
        return now_ns
    if re.fullmatch(r"\d{9,19}", word):
        return _unix(int(word))
    if _DURATION.match(word.lstrip("-")):
        return max(0, now_ns - parse_span(word.lstrip("-"), flag))
    if _CLOCK.fullmatch(word):
        clock = word.zfill(_CLOCK_WIDTH[word.count(":")])
        word = f"{_local(now_ns, zone):%Y-%m-%d} {clock}"
    try:
        return _absolute(word, zone)
    except (ValueError, OverflowError):
        raise UsageError(f"{flag}: {text!r} is not a time", _HINT) from None


def _absolute(word: str, zone: tzinfo | None) -> int:
    """Return an ISO time; datetime keeps six digits of a fraction, Loki has nine."""
    fraction = _FRACTION.search(word)
    nanos = int(fraction[2].ljust(9, "0")) if fraction else 0
    date = datetime.fromisoformat(_FRACTION.sub(r"\1", word, count=1))
    if date.tzinfo is None:
        date = date.replace(tzinfo=zone) if zone else date.astimezone()
    whole = (date - _EPOCH) // timedelta(seconds=1)
    total = whole * SECOND_NS + nanos
    if not 0 <= total <= _MAX_NS:
        raise ValueError("not in Loki's years")
    return total


def _scaled(number: str, unit: int) -> int:
    whole, _, fraction = number.partition(".")
    return int(whole) * unit + (int(fraction) * unit // 10 ** len(fraction or "0")
                                if fraction else 0)  # fmt: skip


def _unix(number: int) -> int:
    """Return nanoseconds of seconds, milliseconds or nanoseconds, by their length."""
    digits = len(str(number))
    if digits <= 11:
        return number * SECOND_NS
    return number * 1_000_000 if digits <= 14 else number


def _local(now_ns: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(now_ns // SECOND_NS, UTC).astimezone(zone)
