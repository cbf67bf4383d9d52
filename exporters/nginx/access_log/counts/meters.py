"""Add up what the lines of one label set say.

Upstream counterpart: client_golang ``prometheus/counter.go`` and ``histogram.go``.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from itertools import accumulate, pairwise
from typing import Final

from exporters.nginx.access_log.counts.quantiles import Quantiles
from exporters.toolkit.errors import StartError


class Size:
    """A sum of bytes."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        self.total: float = 0

    def add(self, size_bytes: float) -> None:
        """Add *size_bytes*, from 0 on."""
        self.total += size_bytes


# A value that comes again costs no more than to count it: 0.15 µs instead of 0.8.
_UNSORTED: Final = 256


class Timing:
    """A histogram with the upper *bounds*, and the quantiles if they are wanted."""

    __slots__ = ("_bounds", "_counts", "_new", "_quantiles", "sum")

    def __init__(self, bounds: tuple[float, ...], *, with_quantiles: bool) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._new: dict[float, int] = {}
        self._quantiles = Quantiles() if with_quantiles else None
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        """Count a request that took *seconds*."""
        self.sum += seconds
        new = self._new
        new[seconds] = new.get(seconds, 0) + 1
        if len(new) > _UNSORTED:
            self._sort()

    def _sort(self) -> None:
        for seconds, count in self._new.items():
            self._counts[bisect_left(self._bounds, seconds)] += count
            if self._quantiles is not None:
                self._quantiles.add(seconds, count)
        self._new.clear()

    def turn(self) -> None:
        """Let the quantiles forget the oldest values."""
        self._sort()
        if self._quantiles is not None:
            self._quantiles.turn()

    def cumulative(self) -> list[int]:
        """Return how many took at most each bound; the last is of all."""
        self._sort()
        return list(accumulate(self._counts))

    def quantiles(self) -> list[tuple[float, float]]:
        """Return quantiles and their values in seconds; nothing if not wanted."""
        self._sort()
        return [] if self._quantiles is None else self._quantiles.values()


Meter = Size | Timing


def checked_bounds(buckets: tuple[float, ...]) -> tuple[float, ...]:
    """Return *buckets* in seconds without +Inf, which every histogram has.

    Raises StartError unless they increase.
    """
    bounds = buckets[:-1] if buckets[-1:] == (math.inf,) else buckets
    is_finite = all(map(math.isfinite, bounds))
    if not is_finite or any(low >= high for low, high in pairwise(bounds)):
        raise StartError(
            f"access log: histogram_buckets {list(buckets)}: expected seconds, each "
            "more than the one before"
        )
    return bounds
