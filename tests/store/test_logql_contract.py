"""LogQL over odd lines: the store's answers must be those of a real Loki."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, settings, strategies as st

from tests.store.test_contract import Server, command, free_port, started


pytestmark = [pytest.mark.oracle, pytest.mark.timeout(180)]

SECOND = 10**9
ACCESS = [
    json.dumps(
        {
            "host": "a.example" if n % 3 else "b.example",
            "uri": f"/page/{n % 4}",
            "status": (200, 200, 301, 404, 500, 503)[n % 6],
            "request_time": n / 16,
            "size": f"{n}KB",
            "took": f"{n * 3}ms",
            "total": n * 7 % 50,
            "addr": f"192.0.2.{n}",
            "upstream": "" if n % 2 else f"{n}",
        }
    )
    for n in range(30)
]
ODD = [
    '{"a": 1.50, "b": true, "c": null, "d": [1, {"x": 2}], "e": {"f": {"g-h": "i"}}}',
    '{"job": "inside", "level": "warn", "1st": "x", "two words": "y", "é": "z"}',
    '{"a": 1, "a": 2, "b.c": 3, "b_c": 4}',
    '{"a": "first", "broken": ',
    '{"a": nul}',
    "{a: 1}",
    "{",
    "",
    "no json at all",
    '  {"a": "padded"}  behind',
    '[{"a": 1}]',
    '"text"',
    '{"u": "\\u00e9\\ud83d\\ude00", "n": "a\\nb\\t\\"c\\""}',
    '{"u": "\\ud83d", "a": "lone"}',
    '{"u": "\\x", "a": "bad escape"}',
    '{" a ": "spaces"}',
    '{"a": 1e400, "b": -0.0, "n": 01, "z": "0x1F"}',
    '{"a": {}, "b": {"c": ""}, "e": {"f": [1]}}',
    '{"a": "b"}}}',
    'a=1 b="two words" c= d e="x\\"y" f=g=h i="open',
    'level=info msg="it\'s" took=12ms size=3MB =x ké=1 "q" a=b',
    'a="\\u00e9" a=last b=\x01',
    '192.0.2.1 - - [01/Jan] "GET /x HTTP/1.1" 200 12 "-" "curl"',
    "::1 and 2001:db8::5 and 10.1.2.3 1.2.3.4.5",
    '{"_entry": "packed \\"line\\"", "container": "c", "n": 1}',
    "\x1b[31mred\x1b[0m text",
    '{"a": "5", "b": "5s", "c": "5MB", "d": "five", "status": "abc"}',
]


class Pair(NamedTuple):
    """The store and a Loki with the same lines, pushed at the same time."""

    store: Server
    loki: Server
    end: int

    def both(self, path: str, **parameters: Any) -> tuple[Any, Any]:
        return self.store.get(path, **parameters), self.loki.get(path, **parameters)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folders = [tmp_path_factory.mktemp(name) for name in ("store", "loki")]
    ports = [free_port(), free_port()]
    store, loki = (
        command(name, folder, port)
        for name, folder, port in zip(("store", "loki"), folders, ports, strict=True)
    )
    # Loki splits a query at full hours and reads the parts in any order.
    end = time.time_ns()
    end -= 400 * SECOND if end % (3600 * SECOND) < 400 * SECOND else 0
    loki.append("-validation.discover-log-levels=false")
    store.append("--no-validation.discover-log-levels")
    with (
        started(store, folders[0], ports[0]) as one,
        started(loki, folders[1], ports[1]) as other,
    ):
        for server in (one, other):
            fill(server, end)
        yield Pair(one, other, end)


def fill(server: Server, end: int) -> None:
    for labels, lines, metadata in (
        ({"job": "nginx", "host": "here"}, ACCESS, {}),
        ({"job": "odd", "level": "stream"}, ODD, {}),
        ({"job": "meta", "app": "two"}, ODD[:12], {"trace": "t1", "job": "meta"}),
    ):
        rows = [
            [str(end - 300 * SECOND + n * 5 * SECOND), line, metadata]
            for n, line in enumerate(lines)
        ]
        assert server.push_json(labels, *rows) == (204, "")


NGINX = '{job="nginx"}'
PARSED = '{job="nginx"} | json'
LINES = [
    '{job="odd"} | json',
    '{job="odd"} | json | __error__=""',
    '{job="odd"} | json | __error__!=""',
    '{job="odd"} | json a, deep="e.f"',
    '{job="odd"} | json a, g="e.f[\\"g-h\\"]", d="d[1].x", e, job="a"',
    '{job="odd"} | json one="d[0]", all="d", none="no.such"',
    '{job="odd"} | logfmt',
    '{job="odd"} | logfmt --strict',
    '{job="odd"} | logfmt --keep-empty',
    '{job="odd"} | logfmt --strict --keep-empty | a="1"',
    '{job="odd"} | logfmt a, two="b", level="e"',
    '{job="odd"} | logfmt --strict took',
    '{job="odd"} | regexp "(?P<ip>[0-9.]+) (?P<rest>.*)"',
    '{job="odd"} | regexp "(?P<level>level)=(?P<n>\\\\w+)?"',
    '{job="odd"} | pattern "<ip> - - [<at>] \\"<method> <uri> <_>\\" <status> <size> "',
    '{job="odd"} | pattern "<_>=<a> <b>"',
    '{job="odd"} | unpack',
    '{job="odd"} | unpack |= "packed"',
    '{job="odd"} | json | a > 1',
    '{job="odd"} | json | a >= 1.5 or b = "true"',
    '{job="odd"} | json | a == 1',
    '{job="odd"} | json | a != 1',
    '{job="odd"} | json | b > 1s',
    '{job="odd"} | json | c > 1MB',
    '{job="odd"} | json | status >= 500',
    '{job="odd"} | json | d = "five" or a = "b", level_extracted = "warn"',
    '{job="odd"} | json | (a = "1" or a = "2") and b_c = "3"',
    '{job="odd"} | json | level_extracted =~ "w.*"',
    '{job="odd"} | json | drop a, level, __error__, __error_details__',
    '{job="odd"} | json | drop a="1", level=~"s.*"',
    '{job="odd"} | json | keep a, job, level="stream"',
    '{job="odd"} | json | label_format b=a, new="{{.job}}-{{.a}}"',
    '{job="odd"} | json | line_format "{{.a}}"',
    '{job="odd"} | json | line_format "x {{.a}} {{ .nothing }}y" |= "first"',
    '{job="odd"} | line_format "{{__line__}}!" | json',
    '{job="odd"} | decolorize',
    '{job="odd"} | decolorize |= "red text"',
    '{job="odd"} |= ip("10.0.0.0/8")',
    '{job="odd"} |= ip("2001:db8::1-2001:db8::9")',
    '{job="odd"} != ip("192.0.2.1")',
    '{job="odd"} |> "<_> at all"',
    '{job="odd"} |> "no <_> all"',
    '{job="odd"} !> "{<_>"',
    '{job="meta"} | trace="t1"',
    '{job="meta"} | json | job_extracted="meta"',
    '{job="meta"} | logfmt | drop trace',
    '{job="odd"} |= "a" | json |= "1" | logfmt',
    PARSED + ' | status >= 500 and method = ""',
    PARSED + ' | addr = ip("192.0.2.0/28") | size > 4KB | took <= 30ms',
    PARSED + ' | addr != ip("192.0.2.0/28")',
    PARSED + " | total < 10 or total > 40",
    PARSED + " | took == 9ms or size = 5KB",
]


@pytest.mark.parametrize("categorize", [False, True])
@pytest.mark.parametrize("query", LINES)
def test_lines(pair: Pair, query: str, categorize: bool) -> None:
    parameters = {
        "query": query, "start": pair.end - 3600 * SECOND, "end": pair.end + SECOND,
        "limit": 1000,
    }  # fmt: skip
    headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    ours, theirs = (
        asked(server, parameters, headers if categorize else {})
        for server in (pair.store, pair.loki)
    )
    assert ours == theirs


def asked(
    server: Server, parameters: dict[str, Any], headers: dict[str, str]
) -> tuple[int, Any]:
    text = urllib.parse.urlencode(parameters)
    status, body = server.ask(f"/loki/api/v1/query_range?{text}", None, headers)
    if status != 200:
        return status, body
    result = json.loads(body)["data"]["result"]
    found = {
        json.dumps(stream["stream"], sort_keys=True): stream["values"]
        for stream in result
    }
    return status, found


METRICS = [
    f'sum by (status) (rate({PARSED} | __error__="" [1m]))',
    f"sum(rate({PARSED} | status >= 500 [5m])) / sum(rate({PARSED} [5m]))",
    (
        f'quantile_over_time(0.95, {PARSED} | unwrap request_time | __error__="" [5m]) '
        "by (host)"
    ),
    f"topk(10, sum by (uri) (count_over_time({PARSED} | status=404 [1h])))",
    f"topk(2, sum by (total) (sum_over_time({PARSED} | unwrap total [1h])))",
    f"bottomk(2, sum by (total) (sum_over_time({PARSED} | unwrap total [1h])))",
    f"count_over_time({PARSED} | keep status [1m])",
    f"rate({PARSED} | drop size, took, addr, request_time, total, upstream [2m])",
    f"bytes_over_time({PARSED} | keep uri [1m] offset 1m)",
    f"sum without (addr) (bytes_rate({PARSED} | keep addr, uri, status [1m]))",
    *(
        f"{op}_over_time({PARSED} | keep total, uri | unwrap total [1m])"
        for op in ("sum", "avg", "min", "max", "first", "last", "stddev", "stdvar")
    ),
    *(
        f"{op}_over_time({PARSED} | unwrap duration(took) [2m]) by (uri)"
        for op in ("avg", "min", "max", "first", "last", "stddev", "stdvar")
    ),
    f"sum by (uri) (sum_over_time({PARSED} | unwrap bytes(size) [1m]))",
    (
        f"avg_over_time({PARSED} | unwrap duration_seconds(took) [1m]) without "
        "(addr, size, request_time, total, status, upstream)"
    ),
    f"rate({PARSED} | keep total | unwrap total [1m])",
    f"sum(rate_counter({PARSED} | keep total | unwrap total [2m]))",
    f"rate_counter({PARSED} | keep total | unwrap total [1m])",
    f"max by (uri) (quantile_over_time(0.5, {PARSED} | unwrap total [1m]))",
    f"quantile_over_time(1.5, {PARSED} | keep total | unwrap total [1m])",
    f"avg(avg_over_time({PARSED} | unwrap total [1m]))",
    f'sum(count_over_time({PARSED} | uri="/none" [1m])) or vector(0)',
    f"sum(count_over_time({NGINX} [1m])) or vector(0)",
    "vector(1)",
    "vector(1) + vector(1)",
    "vector(2) * 3",
    'absent_over_time({job="nginx"} [30s])',
    'absent_over_time({job="nginx"} [5m])',
    'absent_over_time({job="none", x=~"y", z!="a"} | json [1m])',
    f'absent_over_time({PARSED} | status="500" [10s])',
    f"stddev(sum by (status) (count_over_time({PARSED} [1m])))",
    f"stdvar by (uri) (sum by (uri, status) (count_over_time({PARSED} [1m])))",
    f"sort(sum by (total) (sum_over_time({PARSED} | unwrap total [5m])))",
    f"sort_desc(sum by (total) (sum_over_time({PARSED} | unwrap total [5m])))",
    (
        f'label_replace(sum by (uri) (count_over_time({PARSED} [1m])), "page", "p$1", '
        '"uri", "/page/(.*)")'
    ),
    (
        f'label_replace(sum by (uri) (count_over_time({PARSED} [1m])), "uri", "", '
        '"uri", "/page/1")'
    ),
    (
        f"sum by (uri, status) (rate({PARSED} [5m])) / on (uri) group_left () "
        f"sum by (uri) (count_over_time({PARSED} [5m]))"
    ),
    (
        f"sum by (uri) (count_over_time({PARSED} [5m])) * on (uri) group_right () "
        f"sum by (uri, status) (count_over_time({PARSED} [5m]))"
    ),
    (
        f"sum by (uri, status) (count_over_time({PARSED} [5m])) - ignoring (status) "
        f"sum by (uri) (count_over_time({PARSED} [5m]))"
    ),
    (
        f"sum by (uri) (count_over_time({PARSED} [5m])) - ignoring (status) "
        f"sum by (uri, status) (count_over_time({PARSED} [5m]))"
    ),
    f"sum by (uri) (count_over_time({PARSED} [5m])) > bool 7",
    (
        f"sum by (uri) (count_over_time({PARSED} | status=404 [1m])) unless "
        f"sum by (uri) (count_over_time({PARSED} | status=500 [1m]))"
    ),
    (
        f"sum by (uri) (count_over_time({PARSED} | status=404 [1m])) and on (uri) "
        f"sum by (uri) (count_over_time({PARSED} | status=200 [1m]))"
    ),
    (
        f"sum by (uri) (count_over_time({PARSED} | status=404 [1m])) or "
        f"sum by (uri, status) (count_over_time({PARSED} | status=200 [1m]))"
    ),
    f"sum by (upstream) (count_over_time({PARSED} [5m]))",
    f"count_over_time({PARSED} | keep upstream [5m])",
    f"avg_over_time({PARSED} | keep upstream, total | unwrap total [5m])",
    f"sum without (uri) (count_over_time({PARSED} | keep upstream [5m]))",
    f"max(count_over_time({PARSED} | keep upstream [5m])) by (upstream)",
    f"max_over_time({PARSED} | unwrap total [5m]) by (upstream)",
    f"min(max_over_time({PARSED} | unwrap request_time [1m])) by (host_extracted)",
    # Lines that a parser cannot read.
    'sum(count_over_time({job="odd"} | json [5m]))',
    'count_over_time({job="odd"} | json [5m])',
    'sum by (a) (count_over_time({job="odd"} | json [5m]))',
    'sum by (a) (count_over_time({job="odd"} | json | __error__="" [5m]))',
    'sum by (a) (count_over_time({job="odd"} | json | __error__!="" [5m]))',
    'sum by (a, b) (count_over_time({job="odd"} | logfmt [5m]))',
    'sum by (a) (count_over_time({job="odd"} | logfmt --strict [5m]))',
    f"sum by (x) (count_over_time({PARSED} | label_format x=status [5m]))",
    f'sum by (x) (count_over_time({PARSED} | label_format x="{{{{.uri}}}}!" [5m]))',
    f'sum(bytes_over_time({PARSED} | line_format "{{{{.uri}}}}" [5m]))',
    'sum by (a) (count_over_time({job="odd"} | logfmt a, x="b" [5m]))',
    'sum by (ip) (count_over_time({job="odd"} | regexp "(?P<ip>[0-9.]+)" [5m]))',
    'sum by (level_extracted) (count_over_time({job="odd"} | json [5m]))',
    'sum by (level) (count_over_time({job="odd"} | json | __error__="" [5m]))',
    'count_over_time({job="meta"} | trace="t1" [5m])',
    'sum by (trace, a) (count_over_time({job="meta"} | json | __error__="" [5m]))',
    'count_over_time({job="odd"} | json | a > 1 | __error__="" | keep a [5m])',
    'count_over_time({job="odd"} | json | __error__="" | a > 1 [5m])',
    'sum(count_over_time({job="odd"} | json | a > 1 [5m]))',
    'sum(count_over_time({job="odd"} | json | a="1" or a="2" [5m]))',
    'sum_over_time({job="odd"} | json | unwrap a [5m])',
    'sum(sum_over_time({job="odd"} | json | unwrap a | __error__="" [5m]))',
    'sum(sum_over_time({job="odd"} | json | __error__="" | unwrap a [5m]))',
    'max_over_time({job="odd"} | json | unwrap bytes(c) | __error__="" [5m])',
    'max_over_time({job="odd"} | json | unwrap a | __error__="" | a > 1 [5m]) by (a)',
    # What Loki refuses.
    f"sum_over_time({PARSED} [1m])",
    f"count_over_time({PARSED} | unwrap total [1m])",
    f"sum_over_time({PARSED} | unwrap total [1m]) by (uri)",
    f"quantile_over_time({PARSED} | unwrap total [1m])",
    f"sum_over_time(0.5, {PARSED} | unwrap total [1m])",
    "1 or vector(1)",
    "vector(1) and 2",
    f"sort(rate({NGINX}[1m])) by (job)",
    f'count_over_time({PARSED} | label_format __error__="x" [1m])',
    f'rate({NGINX} | regexp "(x" [1m])',
    f'rate({NGINX} | regexp "x" [1m])',
    f'rate({NGINX} | pattern "x" [1m])',
    f'rate({NGINX} | pattern "<a><b>" [1m])',
    f'rate({NGINX} |= ip("1.2.3") [1m])',
    f'rate({PARSED} | addr=ip("x") [1m])',
    f'rate({NGINX} |> "<a> x" [1m])',
]


@pytest.mark.parametrize("query", METRICS)
def test_metrics_at_one_time(pair: Pair, query: str) -> None:
    ours, theirs = pair.both("query", query=query, time=pair.end - 100 * SECOND)
    assert comparable(ours, query) == comparable(theirs, query)


@pytest.mark.parametrize("query", METRICS)
def test_metrics_over_a_range(pair: Pair, query: str) -> None:
    ours, theirs = pair.both(
        "query_range",
        query=query, start=pair.end - 400 * SECOND, end=pair.end, step=20,
    )  # fmt: skip
    assert comparable(ours, query) == comparable(theirs, query)


def comparable(answer: tuple[int, Any], query: str) -> Any:
    status, body = answer
    if status != 200:
        # Of several broken series Loki names any.
        return status, "pipeline" if body.startswith("pipeline error") else body
    data = body["data"]
    if data["resultType"] not in {"vector", "matrix"}:
        return data["resultType"], data["result"]
    rows = [
        (
            # An empty label is none; Loki shows it or not as it splits the query.
            sorted(pair for pair in series["metric"].items() if pair[1]),
            [
                (time, pytest.approx(float(value), rel=1e-12, nan_ok=True))
                for time, value in series.get("values") or [series["value"]]
            ],
        )
        for series in data["result"]
    ]
    return data["resultType"], rows if "sort" in query else sorted(
        rows, key=lambda row: row[0]
    )


_STAGES = st.sampled_from(
    [
        "json", "logfmt", "logfmt --strict", "unpack", "json a, b", 'logfmt a, x="b"',
        'regexp "(?P<a>[0-9.]+) (?P<b>.*)"', 'pattern "<a>:<b>,<_>"', "a > 1", 'a="1"',
        'a!="1"', "b >= 2 or a < 9", 'a=~"[a-z]+"', '__error__=""', '__error__!=""',
        "drop a", 'drop b="3"', "keep a, b, level", "label_format c=a",
        'label_format a="{{.b}}x"', 'line_format "{{.a}} {{.b}}"', "decolorize",
        "b > 1s", "c < 1MB", 'level_extracted=""',
    ]
)  # fmt: skip
_FILTERS = st.sampled_from(['|= "a"', '!= "b"', '|~ "[0-9]"', '!> "<_>b<_>"', ""])
_PIPELINES = st.lists(
    st.one_of(_STAGES.map("| {}".format), _FILTERS), min_size=1, max_size=5
).map(" ".join)
_SHELLS = st.sampled_from(
    [
        "{}", "count_over_time({}[2m])", "sum(count_over_time({}[2m]))",
        "sum by (a) (rate({}[2m]))", "sum by (a, level) (bytes_over_time({}[2m]))",
        "max by (b) (count_over_time({}[2m]))", "sum without (a) (rate({}[2m]))",
        "sum by (b) (sum_over_time({} | unwrap a [2m]))",
        'max_over_time({} | unwrap a | __error__="" [2m])',
        'quantile_over_time(0.9, {} | unwrap b | __error__="" [2m]) by (a)',
        'sum(max_over_time({} | unwrap duration(b) | __error__="" [2m]))',
    ]
)  # fmt: skip


@settings(
    max_examples=150, deadline=None, derandomize=True, phases=[Phase.generate],
)  # fmt: skip
@given(stages=_PIPELINES, shell=_SHELLS)
def test_made_up_queries(pair: Pair, stages: str, shell: str) -> None:
    query = shell.replace("{}", f'{{job="odd"}} {stages}')
    if shell == "{}":
        test_lines(pair, query, categorize=True)
    else:
        test_metrics_at_one_time(pair, query)
