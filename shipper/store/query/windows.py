"""What the values inside a window come to (pkg/logql/range_vector.go)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from shipper.logql import RangeAggregation
from shipper.wire.model import SECOND_NS


Times = Sequence[int]
Values = Sequence[float]
Function = Callable[[Times, Values], float]


def function_of(aggregation: RangeAggregation) -> Function:
    """Return what makes one value of the times and values of a window."""
    seconds = aggregation.range_ns / SECOND_NS
    match aggregation.op:
        case "count_over_time":
            return lambda _, values: float(len(values))
        case "rate" | "bytes_rate":
            return lambda _, values: _sum(values) / seconds
        case "rate_counter":
            return lambda times, values: _rate_counter(times, values, aggregation)
        case "quantile_over_time":
            quantile = aggregation.parameter or 0.0
            return lambda _, values: _quantile(quantile, values)
        case op:
            simple = _SIMPLE[op]
            return lambda _, values: simple(values)


def _sum(values: Values) -> float:
    total = 0.0  # in order: the sum() of later Pythons is more exact than Loki
    for value in values:
        total += value
    return total


def _average(values: Values) -> float:
    mean = 0.0
    for count, value in enumerate(values, 1):
        if math.isinf(mean) and (value == mean or math.isfinite(value)):
            continue
        mean += value / count - mean / count
    return mean


def _largest(values: Values) -> float:
    largest = values[0]
    for value in values:
        if value > largest or math.isnan(largest):
            largest = value
    return largest


def _smallest(values: Values) -> float:
    return -_largest([-value for value in values])


def _variance(values: Values) -> float:
    squares = mean = 0.0
    for count, value in enumerate(values, 1):
        delta = value - mean
        mean += delta / count
        squares += delta * (value - mean)
    return squares / len(values)


def _quantile(quantile: float, values: Values) -> float:
    if quantile < 0:
        return -math.inf
    if quantile > 1:
        return math.inf
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))
    rank = quantile * (len(values) - 1)
    lower = max(0, math.floor(rank))
    upper = min(len(values) - 1, lower + 1)
    weight = rank - math.floor(rank)
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


def _rate_counter(times: Times, values: Values, aggregation: RangeAggregation) -> float:
    """Return the rate of a counter, with Loki's mix of nano- and milliseconds."""
    if len(values) < 2:
        return 0.0
    result = values[-1] - values[0]
    last = 0.0
    for value in values:
        result += last if value < last else 0.0
        last = value
    to_start = aggregation.range_ns // 1_000_000 / 1000
    sampled = (times[-1] - times[0]) / 1000
    if not sampled:
        return math.nan
    between = sampled / (len(values) - 1)
    if result > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * (values[0] / result))
    reach = sampled + (to_start if to_start < between * 1.1 else between / 2)
    return result * (reach / sampled) / (aggregation.range_ns / SECOND_NS)


_SIMPLE: Final[Mapping[str, Callable[[Values], float]]] = {
    "bytes_over_time": _sum,
    "sum_over_time": _sum,
    "avg_over_time": _average,
    "max_over_time": _largest,
    "min_over_time": _smallest,
    "stdvar_over_time": _variance,
    "stddev_over_time": lambda values: math.sqrt(_variance(values)),
    "first_over_time": lambda values: values[0],
    "last_over_time": lambda values: values[-1],
    "absent_over_time": lambda _: 1.0,
}
