from __future__ import annotations

import contextlib
import itertools
import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shipper.store.query import parsed
from shipper.store.query.params import (
    Bounds,
    RangeParams,
    parse_timestamp,
    range_params,
)
from shipper.store.query.render import milliseconds, number
from tests.store.conftest import NOW, SECOND, Open, Store


FULL: dict[str, Any] = {"start": NOW - 3600 * SECOND, "end": NOW + SECOND}


async def fill(store: Store) -> None:
    for name, level in (("a", "info"), ("b", "error"), ("c", "")):
        labels = {"container": name, "level": level} if level else {"container": name}
        lines = [
            (NOW - 10 * SECOND + n * SECOND, f"{name} line {n}") for n in range(10)
        ]
        assert await store.push(lines, labels) == (204, "")


@pytest.mark.parametrize(
    ("query", "containers"),
    [
        ('{container="a"}', "a"),
        ('{container!="a", container=~".+"}', "bc"),
        ('{container=~"a|b"}', "ab"),
        ('{container=~"(?i)A"}', "a"),
        ('{container=~".+", container!~"[ab]"}', "c"),
        ('{container=~".+", level=""}', "c"),
        ('{container=~".+", level!=""}', "ab"),
        ('{container=~".+", level=~""}', "c"),
        ('{container=~".+", missing!~".+"}', "abc"),
        ('{container=~".+"} |= "a line"', "a"),
        ('{container=~".+"} != "a line" |~ "^b .* 3$"', "b"),
        ('{container=~".+"} !~ "^(a|b)"', "c"),
        ('{container=~".+"} |= "a line" or "c line"', "ac"),
        ('{container=~".+"} != "a line" or "c line"', "b"),
        ('{container=~".+"} | level="error"', "b"),
        ('{container=~"nothing"}', ""),
    ],
)
async def test_matchers_and_filters(store: Store, query: str, containers: str) -> None:
    await fill(store)
    data = await store.data("query_range", query=query, limit=5000, **FULL)
    found = {stream["stream"]["container"] for stream in data["result"]}
    assert found == set(containers)


@pytest.mark.parametrize(("direction", "first"), [("forward", 0), ("backward", 9)])
async def test_limit_and_order(store: Store, direction: str, first: int) -> None:
    await fill(store)
    query = '{container=~".+"}'
    found = await store.lines(query, limit=4, direction=direction)
    assert len(found) == 4
    times = {(time - NOW) // SECOND + 10 for time, _ in found}
    assert times == ({0, 1} if direction == "forward" else {8, 9})
    assert sum((t - NOW) // SECOND + 10 == first for t, _ in found) == 3
    alone = await store.lines('{container="a"}', direction=direction)
    assert [t for t, _ in alone] == sorted((t for t, _ in alone), reverse=first == 9)


async def test_start_is_included_and_end_is_not(store: Store) -> None:
    await fill(store)
    bounds = {"start": NOW - 10 * SECOND, "end": NOW - 8 * SECOND}
    found = await store.lines('{container="a"}', direction="forward", **bounds)
    assert [text for _, text in found] == ["a line 0", "a line 1"]


async def test_interval_thins_out(store: Store) -> None:
    await fill(store)
    found = await store.lines('{container="a"}', interval="3s", direction="forward")
    assert [text for _, text in found] == [f"a line {n}" for n in (0, 3, 6, 9)]


async def test_metadata_is_shown_as_loki_shows_it(store: Store) -> None:
    await store.push([(NOW, "x", {"trace": "t1"}), (NOW + 1, "y")])
    params = {"query": '{container="c"}', **{k: str(v) for k, v in FULL.items()}}
    merged = (await store.data("query_range", **params))["result"]
    assert [s["stream"].get("trace") for s in merged] == ["t1", None]
    headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    url = "/loki/api/v1/query_range"
    async with store.client.get(url, params=params, headers=headers) as response:
        data = (await response.json())["data"]
    assert data["encodingFlags"] == ["categorize-labels"]
    assert data["result"] == [
        {
            "stream": {"container": "c", "service_name": "c"},
            "values": [
                [str(NOW + 1), "y", {}],
                [str(NOW), "x", {"structuredMetadata": {"trace": "t1"}}],
            ],
        }
    ]
    filtered = await store.lines('{container="c"} | trace="t1"')
    assert filtered == [(NOW, "x")]


@pytest.mark.parametrize(
    ("path", "params", "text"),
    [
        ("query_range", {"query": "{"}, "parse error at line 1, col 2: syntax error"),
        ("query_range", {"query": '{a="b"}', "limit": "5001"},
         ("max entries limit per query exceeded, limit > max_entries_limit_per_query "
         "(5001 > 5000)")),
        ("query_range", {"query": '{a="b"}', "limit": "0"},
         "limit must be a positive value"),
        ("query_range", {"query": '{a="b"}', "limit": "x"},
         'strconv.Atoi: parsing "x": invalid syntax'),
        ("query_range", {"query": '{a="b"}', "direction": "up"},
         "invalid direction 'up'"),
        ("query_range", {"query": '{a="b"}', "start": "9", "end": "8"},
         "end timestamp must not be before or equal to start time"),
        ("query_range", {"query": '{a="b"}', "start": "2023-13-01T00:00:00Z"},
         'strconv.ParseInt: parsing "2023-13-01T00:00:00Z": invalid syntax'),
        ("query_range", {"query": '{a="b"}', "start": "x"},
         "could not parse 'start' parameter: strconv.ParseInt: parsing "),
        ("query_range", {"query": '{a="b"}', "since": "x"},
         'could not parse \'since\' parameter: not a valid duration string: "x"'),
        ("query_range", {"query": '{a="b"}', "step": "0"},
         "zero or negative query resolution step widths are not accepted."),
        ("query_range", {"query": '{a="b"}', "step": "0.01"},
         "exceeded maximum resolution of 11,000 points per time series."),
        ("query_range", {"query": '{a="b"} | line_format "{{ len .a }}"'},
         "a template with more than {{.label}} is not supported here, only by Loki"),
        ("query_range", {"query": '{a=~".*"}'},
         "parse error : queries require at least one regexp or equality matcher"),
        ("query", {"query": '{a="b"}'},
         "log queries are not supported as an instant query type"),
        ("series", {"match[]": "{"}, "parse error at line 1, col 2"),
        ("labels", {"query": 'rate({a="b"}[1m])'}, "only label matchers are supported"),
        ("tail", {"query": "sum("}, "parse error at line 1"),
        ("tail", {"query": '{a="b"}', "delay_for": "6"},
         "delay_for can't be greater than 5"),
    ],
)  # fmt: skip
async def test_bad_queries(
    store: Store, path: str, params: dict[str, str], text: str
) -> None:
    status, answer = await store.get(path, **params)
    assert status == 400
    assert text in answer
    assert "\n" not in answer


@pytest.mark.parametrize(
    "query", ["1" + "+1" * 3000, '{container="a"} | c="0"' + ' or c="1"' * 3000]
)
async def test_an_endless_chain_is_refused(store: Store, query: str) -> None:
    await fill(store)
    url, form = "/loki/api/v1/query_range", {"query": query, "end": str(NOW)}
    async with store.client.post(url, data=form) as response:
        assert response.status == 400
        assert "too many operations in a row" in await response.text()


@pytest.mark.parametrize("stages", ["", "| json"])
@pytest.mark.parametrize("start", [-(2**63), 2**63 - 9])
async def test_times_beyond_64_bits_are_refused(
    store: Store, start: int, stages: str
) -> None:
    await fill(store)
    asked = {"query": f'rate({{container="a"}} {stages} [1m] offset -1m)'}
    bounds = {"start": start, "end": start + 8, "step": 60}
    refused = (400, "the query reaches beyond the years 1677 to 2262")
    assert await store.get("query_range", **asked, **bounds) == refused
    asked = {"query": f'rate({{container="a"}} {stages} [200y] offset 200y)'}
    assert await store.get("query", **asked, time=NOW) == refused


async def test_too_long_a_range(opened: Open) -> None:
    async with opened(max_query_length_ns=721 * 3600 * SECOND) as store:
        params = {"query": '{a="b"}', "start": NOW - 722 * 3600 * SECOND, "end": NOW}
        assert await store.get("query_range", **params) == (
            400,
            (
                "the query time range exceeds the limit (query length: 722h0m0s, "
                "limit: 30d1h)"
            ),
        )


async def test_labels_values_series_and_stats(store: Store) -> None:
    await fill(store)
    bounds = FULL
    names = await store.data("labels", **bounds)
    assert names == ["container", "level", "service_name"]
    assert await store.data("label", **bounds) == names
    assert await store.data("label/level/values", **bounds) == ["error", "info"]
    query = {"query": '{container="a"}', **bounds}
    assert await store.data("label/level/values", **query) == ["info"]
    series = await store.data("series", **{"match[]": '{level=~".+"}', **bounds})
    assert [one["container"] for one in series] == ["a", "b"]
    assert len(await store.data("series", match="{}", **bounds)) == 3
    assert len(await store.data("series", match='{level!="info"}', **bounds)) == 2
    nothing = {"start": 1, "end": 2}
    assert await store.data("labels", **nothing) == []
    assert await store.data("series", **nothing) == []
    status, text = await store.get("index/stats", **query)
    assert status == 200
    stats = {"streams": 1, "chunks": 1, "bytes": 80, "entries": 10}
    assert json.loads(text) == stats


async def test_defaults_are_the_last_hour(store: Store) -> None:
    await store.push([(NOW - 3601 * SECOND, "before"), (NOW - 3599 * SECOND, "inside")])
    data = await store.data("query_range", query='{container="c"}')
    assert [v[1] for s in data["result"] for v in s["values"]] == ["inside"]
    data = await store.data("query_range", query='{container="c"}', since="2h")
    assert len(data["result"][0]["values"]) == 2


RUNS = itertools.count()
VECTOR = [
    ("vector(1)+vector(1)", "vector", [{"metric": {}, "value": [1700000000, "2"]}]),
    ("1 + 1", "scalar", [1700000000, "2"]),
    ('sum(count_over_time({container=~".+"}[1m]))', "vector",
     [{"metric": {}, "value": [1700000000, "30"]}]),
    ('sum by (level) (rate({container="a"}[10s]))', "vector",
     [{"metric": {"level": "info"}, "value": [1700000000, "0.9"]}]),
    ('topk(1, bytes_over_time({container=~"a|b"} |= "a"[1m])) > 1', "vector",
     [{"metric": {"container": "a", "level": "info", "service_name": "a"},
       "value": [1700000000, "80"]}]),
    ('count_over_time({container="a"}[1m]) > 10', "vector", []),
    ('avg(count_over_time({container=~".+"}[1m])) * 2', "vector",
     [{"metric": {}, "value": [1700000000, "20"]}]),
    (('sum(count_over_time({container="a"}[1m])) / sum(count_over_time('
     '{container=~".+"}[1m]))'), "vector",
     [{"metric": {}, "value": [1700000000, "0.3333333333333333"]}]),
    ('max(bytes_rate({container=~".+"}[1m] offset 5s))', "vector",
     [{"metric": {}, "value": [1700000000, "0.8"]}]),
    ('count without (container, service_name) (count_over_time({level=~".+"}[1m]))',
     "vector",
     [{"metric": {"level": "error"}, "value": [1700000000, "1"]},
      {"metric": {"level": "info"}, "value": [1700000000, "1"]}]),
    ('count_over_time({container=~".+"} | drop container, level, service_name [1m])',
     "vector", [{"metric": {}, "value": [1700000000, "30"]}]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "kind", "result"), VECTOR)
async def test_instant_queries(
    store: Store, query: str, kind: str, result: list[Any]
) -> None:
    await fill(store)
    data = await store.data("query", query=query, time=NOW)
    assert (data["resultType"], data["result"]) == (kind, result)
    assert set(data["stats"]) == {"summary", "querier", "ingester", "cache", "index"}


async def test_too_many_series(opened: Open) -> None:
    async with opened(max_series=2) as store:
        await fill(store)
        query = 'count_over_time({container=~".+"}[1m])'
        status, text = await store.get("query", query=query, time=NOW)
        assert (status, text) == (
            400,
            "maximum of series (2) reached for a single query",
        )


async def test_a_query_may_not_hold_too_much(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store)
    monkeypatch.setattr(parsed, "MAX_HELD", 5)
    query = 'max_over_time({container="a"} | pattern "<_> line <n>" | unwrap n [1m])'
    status, text = await store.get("query", query=query, time=NOW)
    assert (status, text[:45]) == (400, "the query would hold more than 5 values; redu")
    counted = 'sum(count_over_time({container="a"} | pattern "<_> <n>" [1m]))'
    data = await store.data("query", query=counted, time=NOW)
    assert data["result"][0]["value"][1] == "10"


async def test_a_broken_line_ends_a_metric_query(store: Store) -> None:
    await store.push([(NOW - SECOND, '{"a": 1}'), (NOW - 2 * SECOND, "no json")])
    query = 'count_over_time({container="c"} | json [1m])'
    status, text = await store.get("query", query=query, time=NOW)
    assert status == 400
    assert text.startswith("pipeline error: 'JSONParserErr' for series: '{__error__=")
    data = await store.data("query", query=f"sum({query})", time=NOW)
    assert data["result"][0]["value"][1] == "2"  # nothing is asked of the parser


async def test_a_query_ends_at_its_deadline(opened: Open) -> None:
    async with opened(query_timeout_ns=-1) as store:
        status, text = await store.get("query_range", query='{a="b"}')
        assert (status, text[:17]) == (504, "request timed out")


async def test_nothing_is_absent_where_lines_are(store: Store) -> None:
    await fill(store)
    query = 'absent_over_time({container="a"} [1m])'
    assert (await store.data("query", query=query, time=NOW))["result"] == []
    later = await store.data("query", query=query, time=NOW + 120 * SECOND)
    assert [series["metric"] for series in later["result"]] == [{"container": "a"}]
    steps = {"start": NOW, "end": NOW + 10 * SECOND, "step": 5}
    assert (await store.data("query_range", query=query, **steps))["result"] == []


async def test_a_range_is_moved_to_multiples_of_its_step(store: Store) -> None:
    base = NOW // (60 * SECOND) * 60
    for start, end, times in (
        (base, base + 60, [0, 60]),
        (base + 59, base + 61, [0, 60, 120]),
        (base + 7, base + 7, [0, 60]),
        (base, base, [0]),
    ):
        asked = {"query": "vector(1)", "start": start, "end": end, "step": 60}
        (series,) = (await store.data("query_range", **asked))["result"]
        assert [time for time, _ in series["values"]] == [base + t for t in times]


@settings(
    max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
async def test_counts_equal_brute_force(opened: Open, data: st.DataObject) -> None:
    offsets = data.draw(st.lists(st.integers(0, 600), min_size=1, max_size=60))
    step = data.draw(st.integers(1, 120))
    window = data.draw(st.integers(1, 200))
    offset = data.draw(st.integers(0, 100))
    start = data.draw(st.integers(0, 300))
    name = f"run{next(RUNS)}"  # the examples share one file
    times = [NOW - 600 * SECOND + value * SECOND for value in offsets]
    begin = NOW - 600 * SECOND + start * SECOND
    async with opened(max_streams=0) as store:
        lines = [(time, f"line {n}") for n, time in enumerate(times)]
        assert (await store.push(lines, {"run": name}))[0] == 204
        answer = await store.data(
            "query_range",
            query=f'count_over_time({{run="{name}"}}[{window}s] offset {offset}s)',
            start=begin, end=NOW, step=step,
        )  # fmt: skip
    expected = []
    first, last = begin // (step * SECOND), -(-NOW // (step * SECOND))
    for time in range(first * step * SECOND, last * step * SECOND + 1, step * SECOND):
        upto = time - offset * SECOND
        count = sum(upto - window * SECOND < t <= upto for t in times)
        if count:
            expected.append([time // SECOND, str(count)])
    found = answer["result"][0]["values"] if answer["result"] else []
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 7),
        ("1700000000", NOW),
        ("1700000000.5", NOW + SECOND // 2),
        ("1700000000000000001", NOW + 1),
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14T23:13:20.000000001+01:00", NOW + 1),
        ("-5", -5 * SECOND),
    ],
)
def test_timestamps(text: str, expected: int) -> None:
    assert parse_timestamp(text, 7) == expected


def test_range_defaults() -> None:
    assert range_params({"query": "q"}, NOW) == RangeParams(
        "q", Bounds(NOW - 3600 * SECOND, NOW), 14 * SECOND, 0, 100, forward=False
    )


@given(st.text())
def test_parameters_raise_value_errors_only(text: str) -> None:
    for name in ("start", "end", "since", "step", "interval", "limit", "direction"):
        with contextlib.suppress(ValueError):
            range_params({"query": "q", name: text}, NOW)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"), (0.1, "0.1"), (1e21, "1000000000000000000000"), (1e-7, "0.0000001"),
        (math.nan, "NaN"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (-1.5e-7,
        "-0.00000015"), (123456789.5, "123456789.5"), (2.0**53, "9007199254740992"),
    ],
)  # fmt: skip
def test_numbers_as_go_prints_them(value: float, text: str) -> None:
    assert number(value) == text


def test_milliseconds() -> None:
    assert milliseconds(NOW) == 1700000000
    assert milliseconds(NOW + 250_000_000) == 1700000000.25
