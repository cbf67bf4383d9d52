"""Days of the proleptic Gregorian calendar, of any year (Go time/time.go)."""

from __future__ import annotations

from datetime import date


_EPOCH = date(1970, 1, 1).toordinal()
_ERA_YEARS, _ERA_DAYS = 400, 146_097  # after which the calendar repeats
_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)
_LEAP_DAY = 31 + 29


def is_leap(year: int) -> bool:
    """Say whether *year* has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in(year: int, month: int) -> int:
    """Return how many days the month has."""
    leap = month == 2 and is_leap(year)
    return _BEFORE[month] - _BEFORE[month - 1] + leap


def days_since_epoch(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01; a *day* beyond the month's end runs on."""
    era, within = divmod(year, _ERA_YEARS)
    first = date(within + _ERA_YEARS, month, 1).toordinal()
    return first + (era - 1) * _ERA_DAYS - _EPOCH + day - 1


def civil(days: int) -> tuple[int, int, int]:
    """Return year, month and day of the day *days* after 1970-01-01."""
    era, within = divmod(days + _EPOCH - 1, _ERA_DAYS)
    found = date.fromordinal(within + 1)
    return found.year + era * _ERA_YEARS, found.month, found.day


def month_and_day(year: int, yday: int) -> tuple[int, int] | None:
    """Return the date of day *yday* of *year*, 1 being the first; None: there is none.

    As in Go the 366th is there in leap years alone.
    """
    if is_leap(year):
        if yday == _LEAP_DAY:
            return 2, 29
        yday -= yday > _LEAP_DAY
    if not 1 <= yday <= 365:
        return None
    month = next(m for m in range(1, 13) if _BEFORE[m] >= yday)
    return month, yday - _BEFORE[month - 1]
