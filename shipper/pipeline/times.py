"""The formats of times in a config: names, or Go layouts (promtail stages/util.go)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from exporters.toolkit.gotext import parse_int
from shipper.gotime import Layout, Location, TimeError, local
from shipper.gotime.calendar import civil

from .labelset import LabelSet
from .record import Record


TimeReader = Callable[[str], int]
"""Text to nanoseconds since 1970; raises ValueError."""

NAMED_LAYOUTS: Final = {
    "ANSIC": "Mon Jan _2 15:04:05 2006",
    "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
    "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
    "RFC822": "02 Jan 06 15:04 MST",
    "RFC822Z": "02 Jan 06 15:04 -0700",
    "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
    "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
    "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}
_NS_PER: Final = {"UnixMs": 1_000_000, "UnixUs": 1_000, "UnixNs": 1}
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1
MAX_STREAMS: Final = 10_000
"""Streams of which the last time is known."""


def time_reader(
    formats: Sequence[str], location: Location | None, now_ns: Callable[[], int]
) -> TimeReader:
    """Return what reads a time in the first of *formats* that fits.

    As in promtail the named formats do not care for the *location*. A layout without
    a year means the one nearest to *now_ns*. Beyond the years 1677 to 2262 no time is
    read: Loki cannot hold it, and would refuse the push.
    """
    readers = [_reader(text, location, now_ns) for text in formats]
    if len(readers) == 1:
        return readers[0]

    def read(text: str) -> int:
        first: ValueError | None = None
        for reader in readers:
            try:
                return reader(text)
            except ValueError as error:
                first = first or error
        assert first is not None  # there is a format
        raise first

    return read


def _ranged(
    reader: TimeReader, known: Callable[[str], int | None] | None = None
) -> TimeReader:
    """Return *reader*, asking first what is *known*, for times that Loki holds."""
    find = known or reader

    def read(text: str) -> int:
        time_ns = find(text)
        if time_ns is None:
            time_ns = reader(text)
        if _FIRST <= time_ns <= _LAST:
            return time_ns
        raise TimeError("time out of range: Loki holds the years 1678 to 2261")

    return read


def _reader(
    text: str, location: Location | None, now_ns: Callable[[], int]
) -> TimeReader:
    if text == "Unix":
        return _ranged(_read_unix)
    if scale := _NS_PER.get(text):
        return _ranged(lambda value: parse_int(value) * scale)
    if layout := NAMED_LAYOUTS.get(text):
        named = Layout(layout)
        return _ranged(named.parse, named.known.find)
    compiled = Layout(text, location)
    if "06" in text:  # 2006 or 06
        return _ranged(compiled.parse, compiled.known.find)
    year_of = _nearest_year(now_ns)
    return _ranged(lambda value: compiled.parse_in_year(value, year_of))


def _read_unix(text: str) -> int:
    """Read seconds; digits behind a point go through a float, as in promtail."""
    if text.count(".") != 1:
        return parse_int(text) * 1_000_000_000
    whole, fraction = text.split(".")
    nanoseconds = parse_int(whole) * 1_000_000_000
    missing = 9 - len(fraction)
    scale = 10.0**missing if missing >= 0 else 1 / 10.0 ** min(-missing, 300)
    return nanoseconds + int(float(parse_int(fraction)) * scale)


def _nearest_year(now_ns: Callable[[], int]) -> Callable[[int], int]:
    """Return what gives a month's year: around New Year not always this one."""
    here = local()

    def year_of(month: int) -> int:
        seconds = now_ns() // 1_000_000_000
        year, now, _ = civil((seconds + here.lookup(seconds)[1]) // 86_400)
        if month == 12 and now == 1:
            return year - 1
        return year + (month == 1 and now == 12)

    return year_of


class Fudge:
    """What a line without a time gets: a nanosecond more than the last of its stream.

    promtail's ``action_on_failure: fudge``. The last 10000 streams are known,
    and up to as many before them.
    """

    def __init__(self) -> None:
        # Two generations: half the price of moving each stream to the end of one.
        self._last: dict[tuple[int, LabelSet], int] = {}
        self._before: dict[tuple[int, LabelSet], int] = {}

    def read(self, record: Record) -> None:
        """Remember the time of *record*, which was read from it."""
        last = self._last
        last[record.origin.key, record.labels] = record.timestamp_ns
        if len(last) > MAX_STREAMS:
            self._last, self._before = {}, last

    def failed(self, record: Record) -> None:
        """Change the time of *record*, if one is known of its stream."""
        stream = record.stream
        known = self._last.get(stream, self._before.get(stream))
        if known is not None:
            record.timestamp_ns = known + 1
            self.read(record)
