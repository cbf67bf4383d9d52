"""What one more device costs, and whether the thousandth costs as the first."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Growth(NamedTuple):
    """How the cost grows: seconds per device and round, and how it bends.

    *bend* is the slope of the upper part of the sizes divided by that of the lower one:
    1 where growth is linear, 2 and more where it is quadratic. It is that of the least
    of the rounds: a difference of differences shows every disturbance, and these add.
    """

    slopes: tuple[float, ...]
    bend: float


def growth(costs: Mapping[int, Sequence[float]]) -> Growth:
    """Return the growth of *costs*: by number of devices, seconds of each round.

    At least three sizes, all with as many rounds; raises ValueError otherwise.
    """
    sizes = sorted(costs)
    if len(sizes) < 3:
        raise ValueError(f"growth: expected three sizes or more, got {sizes}")
    rounds = zip(*(costs[size] for size in sizes), strict=True)
    slopes = tuple(
        statistics.linear_regression(sizes, seconds).slope for seconds in rounds
    )
    return Growth(slopes, _bend(sizes, [min(costs[size]) for size in sizes]))


def _bend(sizes: Sequence[int], costs: Sequence[float]) -> float:
    middle = len(sizes) // 2
    upper = _slope(sizes, costs, middle, -1)
    lower = _slope(sizes, costs, 0, middle)
    return upper / lower if lower else float("nan")


def _slope(sizes: Sequence[int], costs: Sequence[float], low: int, high: int) -> float:
    return (costs[high] - costs[low]) / (sizes[high] - sizes[low])
