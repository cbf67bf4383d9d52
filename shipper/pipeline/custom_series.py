"""What one series of a user's metric holds (client_golang counter.go and others)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate
from math import inf, isfinite, isnan
from typing import Protocol

from prometheus_client.samples import Sample


class Series(Protocol):
    """The value of one set of labels."""

    def samples(self, name: str, labels: Mapping[str, str]) -> Iterator[Sample]:
        """Yield it as the metric *name* with *labels*."""


class Counter:
    """Only grows; whole numbers are added up exactly, as in Go."""

    __slots__ = ("_rest", "_whole")

    def __init__(self) -> None:
        self._whole = 0
        self._rest = 0.0

    def add(self, value: float) -> bool:
        """Add *value*; return False if no counter can: it is negative or no number.

        promtail ends with a panic when it is negative; NaN and infinity would stay.
        """
        if not isfinite(value) or value < 0:
            return False
        if value.is_integer():
            self._whole += int(value)
        else:
            self._rest += value
        return True

    def samples(self, name: str, labels: Mapping[str, str]) -> Iterator[Sample]:
        """Yield the one sample."""
        yield Sample(name, dict(labels), self._rest + self._whole)


class Gauge:
    """Any number."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value = 0.0

    def set(self, value: float) -> bool:
        """Be *value* from now on."""
        self._value = value
        return True

    def add(self, value: float) -> bool:
        """Add *value*, be it negative."""
        self._value += value
        return True

    def samples(self, name: str, labels: Mapping[str, str]) -> Iterator[Sample]:
        """Yield the one sample."""
        yield Sample(name, dict(labels), self._value)


class Histogram:
    """Counts of values up to each of *bounds*, which grow; the last one is infinity."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = (*bounds, inf)
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0

    def observe(self, value: float) -> bool:
        """Count *value*; return False for NaN, which would stay in the sum."""
        if isnan(value):
            return False
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value
        return True

    def samples(self, name: str, labels: Mapping[str, str]) -> Iterator[Sample]:
        """Yield the buckets, the sum and the count."""
        total = 0
        for bound, total in zip(self._bounds, accumulate(self._counts), strict=True):
            cells = {**labels, "le": str(bound)}
            yield Sample(f"{name}_bucket", cells, float(total))
        yield Sample(f"{name}_sum", dict(labels), self._sum)
        yield Sample(f"{name}_count", dict(labels), float(total))
