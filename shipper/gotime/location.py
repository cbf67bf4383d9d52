"""A place and its clock: offsets by time, abbreviations (Go time/zoneinfo.go)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC as UTC_ZONE, datetime, timedelta, tzinfo
from io import BytesIO
from zoneinfo import ZoneInfo

from shipper.gotime.tzfile import (
    Abbreviations,
    abbreviations,
    read_zone,
    read_zone_file,
)


# datetime ends at the years 1 and 9999; zones have no news near there.
_FIRST = -62_100_000_000
_LAST = 253_370_000_000
_LOCALTIME = "/etc/localtime"


class Location:
    """A time zone. `load` finds one by name."""

    __slots__ = ("_abbreviations", "_zone", "name")

    def __init__(self, name: str, zone: tzinfo, names: Abbreviations = ()) -> None:
        self.name = name
        self._zone = zone
        self._abbreviations = names

    def __repr__(self) -> str:
        return f"Location({self.name!r})"

    @classmethod
    def load(cls, name: str) -> Location:
        """Return the zone *name*; "Local" is the machine's.

        Raises:
            ValueError: with the text of Go's LoadLocation.
        """
        if name in {"", "UTC"}:
            return UTC
        return local() if name == "Local" else cls.decode(name, read_zone(name))

    @classmethod
    def decode(cls, name: str, data: bytes) -> Location:
        """Return the zone of the zone file *data*. Raises ValueError."""
        names = abbreviations(data)
        return cls(name, ZoneInfo.from_file(BytesIO(data), key=name), names)

    def lookup(self, seconds: int) -> tuple[str, int]:
        """Return the zone's abbreviation and offset at *seconds* since 1970."""
        there = self._at(seconds)
        return there.tzname() or "", _seconds(there.utcoffset())

    def to_unix(self, wall: int) -> int:
        """Return when its clock shows *wall*, in seconds as if it were UTC.

        A time that comes twice, or never, is read as by Go: by the offset in force at
        *wall* minus the offset at *wall*.
        """
        if self._zone is UTC_ZONE:
            return wall
        guess = wall - _seconds(self._at(wall).utcoffset())
        return wall - _seconds(self._at(guess).utcoffset())

    def offset_named(self, abbreviation: str, wall: int) -> int | None:
        """Return what *abbreviation* means when its clock shows *wall*, None: nothing.

        Best is one that was in use then, for some names have had several meanings.
        """
        known = [(n, o) for n, o in self._abbreviations if n == abbreviation]
        for _, offset in known:
            name, actual = self.lookup(wall - offset)
            if name == abbreviation:
                return actual
        return known[0][1] if known else None

    def _at(self, seconds: int) -> datetime:
        return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), self._zone)


UTC = Location("UTC", UTC_ZONE)


def local(environ: Mapping[str, str] = os.environ) -> Location:
    """Return the machine's zone: of ``TZ``, else of /etc/localtime, else UTC."""
    wanted = environ.get("TZ")
    if wanted is None:
        data = read_zone_file(_LOCALTIME)
        return Location.decode("Local", data) if data else UTC
    wanted = wanted.removeprefix(":")
    try:
        if wanted.startswith("/"):
            return Location.decode("Local", read_zone_file(wanted))
        return Location.load(wanted) if wanted != "Local" else UTC
    except ValueError:
        return UTC


def _seconds(offset: timedelta | None) -> int:
    assert offset is not None  # aware times have one
    return offset.days * 86_400 + offset.seconds
