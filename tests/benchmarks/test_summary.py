"""The arithmetic behind the table."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies

from benchmarks.summary import Row, Target, blocks, paired, percentile, table, tail
from benchmarks.units import count, mebibytes, milliseconds


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
    assert row.cells() == ("x", "2", "2", "1.00", "0.50-3.00", "", "")


def test_rounds_of_both_must_pair() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired("x", [1.0, 2.0], [1.0], count)


def test_the_ratio_is_the_median_of_the_rounds() -> None:
    # One disturbed round moves neither, a disturbed half the values alone.
    row = paired("x", [1.0, 1.0, 9.0, 9.0, 9.0], [2.0, 2.0, 2.0, 18.0, 18.0], count)
    assert (row.ours, row.original, row.ratio) == (9.0, 2.0, 0.5)


def test_without_an_original() -> None:
    row = paired("x", [0.001, 0.003, 0.002], [], milliseconds)
    assert row.cells() == ("x", "2.00 ms", "-", "-", "", "", "")


def test_ratio_to_nothing() -> None:
    assert math.isnan(Row("x", 1.0, 0.0, count).ratio)


def test_a_tail_is_that_of_most_stretches() -> None:
    calm, disturbed = [1.0] * 98 + [2.0, 2.0], [1.0] * 50 + [90.0] * 50
    row = tail("p99", calm * 3 + disturbed, [1.0] * 400, count)
    assert (row.ours, row.ratio) == (2.0, 2.0)
    assert max(row.rounds) == 90.0


def test_a_tail_of_few_has_no_spread() -> None:
    row = tail("p99", [1.0] * 199, [2.0] * 199, count)
    assert (row.ratio, row.rounds) == (0.5, ())


@given(strategies.lists(strategies.floats(), min_size=1, max_size=1200))
def test_blocks_are_all_values_in_stretches_of_a_hundred(values: list[float]) -> None:
    found = blocks(values)
    assert [value for block in found for value in block] == values
    assert len(found) <= 5
    assert len(found) == 1 or min(map(len, found)) >= 100


@pytest.mark.parametrize(
    ("target", "text", "verdict"),
    [
        (None, "", ""),
        (Target(0.5), "≤ 0.5", "met"),
        (Target(0.4), "≤ 0.4", "missed"),
        (Target(ours=36 * 2**20), "≤ 36 MiB", "met"),
        (Target(1.5, 9 * 2**20), "≤ 1.5, ≤ 9 MiB", "missed"),
        (Target(at_least=0.9), "≥ 0.9", "missed"),
        (Target(at_least=0.5), "≥ 0.5", "met"),
    ],
)
def test_targets(target: Target | None, text: str, verdict: str) -> None:
    row = Row("RSS", 10 * 2**20, 20 * 2**20, mebibytes).aim(target)
    assert row.cells()[-2:] == (text, verdict)


def test_a_target_that_nobody_measured_is_open() -> None:
    alone = paired("x", [1.0], [], count)
    assert alone.aim(Target(0.5)).verdict == "open"
    assert alone.aim(Target(at_least=0.5)).verdict == "open"
    assert alone.aim(Target(ours=2.0)).verdict == "met"


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
    rows[1] = rows[1].aim(Target(0.4))
    assert table(rows).split("\n") == [
        "         ours  original  ratio   by round  target",
        "body    3,653     1,249   2.92",
        "CPU   1.00 ms   2.00 ms   0.50  0.50-0.50   ≤ 0.4  missed",
    ]
