"""Label sets, meters and quantiles: bounded, and right."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.access_log.counts.meters import Timing, checked_bounds
from exporters.nginx.access_log.counts.quantiles import QUANTILES, SLICES, Quantiles
from exporters.nginx.access_log.counts.series import FOLDED_SERIES, SeriesTable
from exporters.nginx.access_log.lines.labels import Labels
from exporters.nginx.access_log.settings import Relabeling, Settings
from exporters.toolkit.errors import StartError


def _table(limit: int, *, only_counter: bool = False) -> SeriesTable:
    uri = Relabeling("uri", "uri", only_counter=only_counter)
    return SeriesTable(Labels(Settings(relabel_configs=(uri,))), limit)


def _count(table: SeriesTable, *values: str) -> None:
    table.find(values).count += 1


def test_what_finds_no_room_keeps_method_and_status() -> None:
    table = _table(2)
    for uri, status in [("/a", "200"), ("/b", "200"), ("/c", "200"), ("/d", "500")]:
        _count(table, uri, "GET", status)
        _count(table, uri, "GET", status)
    assert dict(table.counts()) == {
        ("/a", "GET", "200"): 2,
        ("/b", "GET", "200"): 2,
        ("other", "GET", "200"): 2,
        ("other", "GET", "500"): 2,
    }
    assert table.folded_lines == 4


def test_in_the_end_every_label_is_other() -> None:
    table = _table(0)
    for number in range(1000):
        _count(table, "/", "GET", f"{number:03}")
    counts = dict(table.counts())
    assert len(counts) == FOLDED_SERIES + 1
    assert counts["other", "other", "other"] == 1000 - FOLDED_SERIES
    assert sum(counts.values()) == table.folded_lines == 1000


def test_meters_are_shared_where_only_the_count_tells_apart() -> None:
    table = _table(10, only_counter=True)
    first, second = table.find(("/a", "GET", "200")), table.find(("/b", "GET", "200"))
    assert first is not second
    assert first.meters is second.meters
    assert [values for values, _ in table.meters()] == [("GET", "200")]


@pytest.mark.parametrize(
    ("seconds", "cumulative"),
    [
        ([], [0, 0, 0]),
        ([0.0, 1.0, 1.0000001, 2.0, 3.0], [2, 4, 5]),  # a bound belongs to its bucket
        ([0.5] * 1000, [1000, 1000, 1000]),
        ([number / 1000 for number in range(3001)], [1001, 2001, 3001]),
    ],
)
def test_histogram(seconds: list[float], cumulative: list[int]) -> None:
    timing = Timing((1.0, 2.0), with_quantiles=False)
    for each in seconds:
        timing.add(each)
    assert timing.cumulative() == cumulative
    assert timing.sum == pytest.approx(sum(seconds))
    assert timing.quantiles() == []


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [((1.0,), (1.0,)), ((0.1, 2.0, math.inf), (0.1, 2.0)), ((-1.0, 0.0), (-1.0, 0.0))],
)
def test_buckets(buckets: tuple[float, ...], expected: tuple[float, ...]) -> None:
    assert checked_bounds(buckets) == expected


@pytest.mark.parametrize(
    "buckets", [(1.0, 1.0), (2.0, 1.0), (math.nan,), (math.inf, 1.0), (1.0, math.nan)]
)
def test_no_buckets(buckets: tuple[float, ...]) -> None:
    with pytest.raises(StartError, match="histogram_buckets"):
        checked_bounds(buckets)


def _quantiles(values: list[float]) -> list[float]:
    quantiles = Quantiles()
    for value in values:
        quantiles.add(value)
    return [value for _, value in quantiles.values()]


def _exact(values: list[float]) -> list[float]:
    ordered = sorted(values)
    return [ordered[math.ceil(q * len(ordered)) - 1] for q in QUANTILES]


@given(st.lists(st.floats(1e-5, 1e5), min_size=1, max_size=300))
def test_quantiles_are_within_a_percent(values: list[float]) -> None:
    assert _quantiles(values) == pytest.approx(_exact(values), rel=0.008)


def test_quantiles_of_requests() -> None:
    rng = random.Random(1)
    values = [round(rng.lognormvariate(-3, 1.2), 3) for _ in range(10_000)]
    assert _quantiles(values) == pytest.approx(_exact(values), rel=0.008)
    ordered = sorted(values)
    for quantile, value in zip(QUANTILES, _quantiles(values), strict=True):
        below = sum(each < value for each in ordered) / len(ordered)
        reached = sum(each <= value for each in ordered) / len(ordered)
        assert below - 0.001 <= quantile <= reached + 0.001


@pytest.mark.parametrize(
    "value", [0.0, 0.001, 0.005, 0.023, 0.059, 0.1, 0.5, 1.0, 2.5, 3.0, 60.0, 300.0]
)
def test_a_quantile_looks_like_the_value(value: float) -> None:
    assert _quantiles([value] * 10) == [value] * 3


def test_no_value_no_quantile() -> None:
    assert all(map(math.isnan, _quantiles([])))


@given(st.floats(0, 2.0**63))
def test_any_size_is_bounded(value: float) -> None:
    quantiles = Quantiles()
    quantiles.add(value)
    [(_, low), _, (_, high)] = quantiles.values()
    assert low == high
    assert 0 <= low < 2.0**20


def test_places_are_few() -> None:
    rng = random.Random(2)
    quantiles = Quantiles()
    for _ in range(100_000):
        quantiles.add(2.0 ** rng.uniform(-40, 62))
    assert len(quantiles._now) <= 5121


def test_what_is_old_is_forgotten() -> None:
    quantiles = Quantiles()
    quantiles.add(1.0)
    for _ in range(SLICES - 1):
        quantiles.turn()
        assert quantiles.values()[0] == (0.5, 1.0)
    quantiles.add(3.0, 2)
    assert quantiles.values()[0] == (0.5, 3.0)
    quantiles.turn()
    assert quantiles.values() == [(0.5, 3.0), (0.9, 3.0), (0.99, 3.0)]
    for _ in range(SLICES):
        quantiles.turn()
    assert math.isnan(quantiles.values()[0][1])


def test_places_follow_each_other() -> None:
    values = [_quantiles([1 + number / 1000])[0] for number in range(2000)]
    assert all(low <= high for low, high in pairwise(values))
