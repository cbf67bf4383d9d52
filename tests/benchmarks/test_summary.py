"""The arithmetic behind the table."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies

from benchmarks.summary import (
    Row,
    count,
    mebibytes,
    milliseconds,
    paired,
    percentile,
    table,
)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([7.0], 99, 7.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        ([4.0, 3.0, 1.0, 2.0], 50, 2.0),
        ([float(n) for n in range(1, 201)], 99, 198.0),
        ([float(n) for n in range(1, 201)], 100, 200.0),
        ([float(n) for n in range(1, 201)], 0, 1.0),
    ],
)
def test_percentile(values: list[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == expected


@given(
    strategies.lists(strategies.floats(allow_nan=False), min_size=1),
    strategies.floats(0, 100),
)
def test_percentile_is_a_value_with_enough_below(
    values: list[float], percent: float
) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= percent / 100 * len(values) - 1e-9


def test_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        percentile([], 50)


def test_rounds_are_compared_in_pairs() -> None:
    row = paired("x", [1.0, 2.0, 9.0], [2.0, 2.0, 3.0], count)
    assert (row.ours, row.original, row.ratio) == (2.0, 2.0, 1.0)
    assert row.rounds == (0.5, 1.0, 3.0)
    assert row.cells() == ("x", "2", "2", "1.00", "0.50-3.00")


def test_rounds_of_both_must_pair() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired("x", [1.0, 2.0], [1.0], count)


def test_ratio_to_nothing() -> None:
    assert math.isnan(Row("x", 1.0, 0.0, count).ratio)


def test_units() -> None:
    assert milliseconds(0.01234) == "12.34 ms"
    assert mebibytes(3 * 2**19) == "1.50 MiB"
    assert count(1234567.0) == "1,234,567"


def test_table_is_aligned() -> None:
    rows = [
        Row("body", 3653, 1249, count),
        paired("CPU", [0.001], [0.002], milliseconds),
    ]
    assert table(rows).split("\n") == [
        "         ours  original  ratio   by round",
        "body    3,653     1,249   2.92",
        "CPU   1.00 ms   2.00 ms   0.50  0.50-0.50",
    ]
