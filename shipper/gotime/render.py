"""Nanoseconds to text by a layout, as Go writes it (Time.Format)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from shipper.gotime.calendar import civil, days_since_epoch
from shipper.gotime.chunks import split_layout
from shipper.gotime.location import UTC, Location
from shipper.gotime.patterns import MONTHS, WEEKDAYS


class _Clock(NamedTuple):
    year: int
    month: int
    day: int
    yday: int
    weekday: int
    hour: int
    minute: int
    second: int
    nanosecond: int
    zone: str
    offset: int

    @property
    def hour12(self) -> int:
        return self.hour % 12 or 12

    @property
    def half(self) -> str:
        return "PM" if self.hour >= 12 else "AM"


_WRITERS: Final[Mapping[str, Callable[[_Clock], str]]] = {
    "2006": lambda c: f"{c.year:04}" if c.year >= 0 else f"-{-c.year:04}",
    "06": lambda c: f"{c.year % 100:02}",
    "January": lambda c: MONTHS[c.month - 1],
    "Jan": lambda c: MONTHS[c.month - 1][:3],
    "01": lambda c: f"{c.month:02}",
    "1": lambda c: str(c.month),
    "Monday": lambda c: WEEKDAYS[c.weekday],
    "Mon": lambda c: WEEKDAYS[c.weekday][:3],
    "02": lambda c: f"{c.day:02}",
    "_2": lambda c: f"{c.day:2}",
    "2": lambda c: str(c.day),
    "002": lambda c: f"{c.yday:03}",
    "__2": lambda c: f"{c.yday:3}",
    "15": lambda c: f"{c.hour:02}",
    "03": lambda c: f"{c.hour12:02}",
    "3": lambda c: str(c.hour12),
    "04": lambda c: f"{c.minute:02}",
    "4": lambda c: str(c.minute),
    "05": lambda c: f"{c.second:02}",
    "5": lambda c: str(c.second),
    "PM": lambda c: c.half,
    "pm": lambda c: c.half.lower(),
    "MST": lambda c: c.zone,
}


def format_time(time_ns: int, layout: str, location: Location = UTC) -> str:
    """Return the time *time_ns* after 1970 by *layout*, at the clock of *location*."""
    clock = _clock(time_ns, location)
    return "".join(
        _write(clock, field, text) if field else text
        for field, text in split_layout(layout)
    )


def _clock(time_ns: int, location: Location) -> _Clock:
    seconds, nanosecond = divmod(time_ns, 1_000_000_000)
    zone, offset = location.lookup(seconds)
    days, second = divmod(seconds + offset, 86_400)
    year, month, day = civil(days)
    yday = days - days_since_epoch(year, 1, 1) + 1
    minutes, second = divmod(second, 60)
    hour, minute = divmod(minutes, 60)
    weekday = (days + 3) % 7  # 1970 began on a Thursday
    return _Clock(
        year, month, day, yday, weekday, hour, minute, second, nanosecond, zone, offset
    )


def _write(clock: _Clock, field: str, text: str) -> str:
    if field == "fraction":
        return _fraction(clock.nanosecond, text)
    if field == "offset":
        return "Z" if text[0] == "Z" and not clock.offset else _offset(clock, text)
    return _WRITERS[text](clock)


def _fraction(nanosecond: int, text: str) -> str:
    digits = f"{nanosecond:09}"[: len(text) - 1]
    if text[1] == "9":
        digits = digits.rstrip("0")
        return text[0] + digits if digits else ""
    return text[0] + digits


def _offset(clock: _Clock, text: str) -> str:
    """Write the offset with as many parts and colons as *text* has."""
    sign = "-" if clock.offset < 0 else "+"
    minutes, second = divmod(abs(clock.offset), 60)
    hour, minute = divmod(minutes, 60)
    parts = [f"{hour:02}", f"{minute:02}", f"{second:02}"]
    colon = ":" if ":" in text else ""
    count = len(text.replace(":", "")[1:]) // 2
    return sign + colon.join(parts[:count])
