"""Times in templates: sprig's functions on them, and the methods of Go's time.Time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from types import MethodType
from typing import Any, Final


_FUNCTIONS: Final = (
    "ago",
    "date",
    "dateInZone",
    "dateModify",
    "date_in_zone",
    "date_modify",
    "durationRound",
    "htmlDate",
    "htmlDateInZone",
    "mustDateModify",
    "mustToDate",
    "must_date_modify",
    "now",
    "toDate",
    "unixEpoch",
)
_DEFAULT_LAYOUT: Final = "2006-01-02 15:04:05.999999999 -0700 MST"


class Moment:
    """A time that a template may ask for its parts, format and print."""

    __slots__ = ("date", "time")

    def __init__(self, date: datetime, time: Any) -> None:
        """Hold the same time twice: as gotpl's functions take it, and as gotime."""
        self.date = date
        self.time = time

    def __gotemplate_lookup__(self, name: str) -> Callable[..., Any]:
        """Return the method of Go's name *name*. Raises TypeError."""
        if name not in _METHODS:
            raise TypeError(f"can't evaluate field {name} in type time.Time")
        return MethodType(_METHODS[name], self)

    def __go_format_value__(self, kind: str, _mode: str, *, nested: bool) -> str:
        """Return what ``%v`` and ``%T`` print."""
        del nested
        return "time.Time" if kind == "type" else str(self)

    def __str__(self) -> str:
        text: str = self.time.format(_DEFAULT_LAYOUT)
        return text


def with_methods(
    sprig: Mapping[str, Callable[..., Any]],
) -> dict[str, Callable[..., Any]]:
    """Return sprig's functions on times, which take and give a `Moment`."""
    return {name: _adapted(sprig[name]) for name in _FUNCTIONS}


def _adapted(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*arguments: Any) -> Any:
        plain = (a.date if isinstance(a, Moment) else a for a in arguments)
        result = function(*plain)
        return _moment(result) if isinstance(result, datetime) else result

    # Types are checked by gotpl, which would refuse a Moment for a datetime.
    call.__annotations__ = {
        name: kind
        for name, kind in function.__annotations__.items()
        if kind in ("str", "int")
    }
    return call


def _moment(date: datetime) -> Moment:
    from gotime.go import Location, Time  # noqa: PLC0415

    seconds = Time.from_datetime(date.replace(microsecond=0)).unix_seconds
    nanosecond = getattr(date, "nanosecond", date.microsecond * 1000)
    offset = int((date.utcoffset() or timedelta()).total_seconds())
    zone = Location.fixed(date.tzname() or date.strftime("%z"), offset)
    return Moment(date, Time.from_unix(seconds, nanosecond, location=zone))


def _utc(moment: Moment) -> Moment:
    time = moment.time.utc()
    return Moment(time.to_datetime(), time)


def _local(moment: Moment) -> Moment:
    time = moment.time.local()
    return Moment(time.to_datetime(), time)


def _nanoseconds(moment: Moment) -> int:
    return int(moment.time.unix_nanoseconds())


_METHODS: Final[Mapping[str, Callable[..., Any]]] = {
    "Day": lambda moment: moment.time.day,
    "Format": lambda moment, layout: moment.time.format(layout),
    "Hour": lambda moment: moment.time.hour,
    "IsZero": lambda moment: moment.time.is_zero(),
    "Local": _local,
    "Minute": lambda moment: moment.time.minute,
    "Month": lambda moment: moment.time.month,
    "Nanosecond": lambda moment: moment.time.nanosecond,
    "Second": lambda moment: moment.time.second,
    "String": str,
    "UTC": _utc,
    "Unix": lambda moment: _nanoseconds(moment) // 1_000_000_000,
    "UnixMicro": lambda moment: _nanoseconds(moment) // 1_000,
    "UnixMilli": lambda moment: _nanoseconds(moment) // 1_000_000,
    "UnixNano": _nanoseconds,
    "Weekday": lambda moment: moment.time.weekday,
    "Year": lambda moment: moment.time.year,
    "YearDay": lambda moment: moment.time.year_day,
}
