"""Keep the label sets apart, and their number bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from exporters.nginx.access_log.counts.measures import MEASURES
from exporters.nginx.access_log.counts.meters import Meter
from exporters.nginx.access_log.lines.labels import Labels, Values


# Beyond the limit, so that method and status survive where the other labels do not.
FOLDED_SERIES: Final = 100

Meters = list[Meter | None]  # one for each of MEASURES, None before its first value


class Series:
    """One label set of the response count, and the *meters* that its lines move.

    Sets that differ in labels of the count alone share their meters.
    """

    __slots__ = ("count", "meters")

    def __init__(self, meters: Meters) -> None:
        self.count = 0
        self.meters = meters


class SeriesTable:
    """The series of all label sets, at most *limit* and a few that are folded."""

    def __init__(self, labels: Labels, limit: int) -> None:
        self._labels = labels
        self._limit = limit
        self._series: dict[Values, Series] = {}
        self._meters: dict[Values, Meters] = {}
        self.folded_lines = 0

    def find(self, values: Values) -> Series:
        """Return the series of the label *values*, or the one that takes its lines."""
        series = self._series.get(values)
        if series is not None:
            return series
        if len(self._series) < self._limit:
            return self._add(values)
        return self._fold(values)

    def _fold(self, values: Values) -> Series:
        self.folded_lines += 1
        kept, nothing = self._labels.folded(values)
        series = self._series.get(kept)
        if series is not None:
            return series
        if len(self._series) < self._limit + FOLDED_SERIES:
            return self._add(kept)
        return self._series.get(nothing) or self._add(nothing)

    def _add(self, values: Values) -> Series:
        measured = self._labels.measured(values)
        meters = self._meters.setdefault(measured, [None] * len(MEASURES))
        series = self._series[values] = Series(meters)
        return series

    def counts(self) -> Iterator[tuple[Values, int]]:
        """Yield each label set of the response count and its count."""
        for values, series in self._series.items():
            yield values, series.count

    def meters(self) -> Iterator[tuple[Values, Meters]]:
        """Yield each label set of the other families and its meters."""
        yield from self._meters.items()
