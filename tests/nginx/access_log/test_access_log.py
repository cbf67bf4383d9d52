"""Whole lines in, a page of metrics out."""

from __future__ import annotations

import json
import logging
import math
import random
import resource
from collections.abc import Iterable

import pytest
from hypothesis import given, settings as examples, strategies as st

from exporters.nginx.access_log.access_log import AccessLog
from exporters.nginx.access_log.counts.series import FOLDED_SERIES
from exporters.nginx.access_log.settings import (
    Match,
    ParserKind,
    Relabeling,
    Settings,
)
from exporters.toolkit.errors import StartError
from exporters.toolkit.exposition import encode


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def _page(log: AccessLog) -> str:
    problems: list[str] = []
    page = encode(await log.collect(None), problems.append).decode()
    assert problems == []
    return page


async def _samples(log: AccessLog) -> dict[str, float]:
    # Not splitlines(): a label may hold a vertical tab.
    lines = (await _page(log)).rstrip("\n").split("\n")
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def _feed(settings: Settings, *lines: bytes | dict[str, object]) -> AccessLog:
    log = AccessLog(settings)
    for line in lines:
        log.line(line if isinstance(line, bytes) else json.dumps(line).encode())
    return log


EMPTY = """\
# HELP nginx_exporter_access_log_folded_lines_total Lines counted under the label \
values other because there were too many label sets.
# TYPE nginx_exporter_access_log_folded_lines_total counter
nginx_exporter_access_log_folded_lines_total{log="nginx"} 0
# HELP nginx_exporter_access_log_lines_total Lines of the access log that arrived.
# TYPE nginx_exporter_access_log_lines_total counter
nginx_exporter_access_log_lines_total{log="nginx"} 0
# HELP nginx_exporter_access_log_parse_errors_total Lines that are not of the format, \
and values that are no numbers.
# TYPE nginx_exporter_access_log_parse_errors_total counter
nginx_exporter_access_log_parse_errors_total{log="nginx",reason="line"} 0
nginx_exporter_access_log_parse_errors_total{log="nginx",reason="value"} 0
# HELP nginx_parse_errors_total Total number of log file lines that could not be parsed
# TYPE nginx_parse_errors_total counter
nginx_parse_errors_total 0
"""

ONE = """\
# HELP nginx_http_request_size_bytes Total amount of received bytes
# TYPE nginx_http_request_size_bytes counter
nginx_http_request_size_bytes{method="GET",status="200"} 300
# HELP nginx_http_response_count_total Amount of processed HTTP requests
# TYPE nginx_http_response_count_total counter
nginx_http_response_count_total{method="GET",status="200"} 1
# HELP nginx_http_response_size_bytes Total amount of transferred bytes
# TYPE nginx_http_response_size_bytes counter
nginx_http_response_size_bytes{method="GET",status="200"} 1.8234e+06
# HELP nginx_http_response_time_seconds Time needed by NGINX to handle requests
# TYPE nginx_http_response_time_seconds summary
nginx_http_response_time_seconds{method="GET",status="200",quantile="0.5"} 0.023
nginx_http_response_time_seconds{method="GET",status="200",quantile="0.9"} 0.023
nginx_http_response_time_seconds{method="GET",status="200",quantile="0.99"} 0.023
nginx_http_response_time_seconds_sum{method="GET",status="200"} 0.023
nginx_http_response_time_seconds_count{method="GET",status="200"} 1
# HELP nginx_http_response_time_seconds_hist Time needed by NGINX to handle requests
# TYPE nginx_http_response_time_seconds_hist histogram
nginx_http_response_time_seconds_hist_bucket{method="GET",status="200",le="0.01"} 0
nginx_http_response_time_seconds_hist_bucket{method="GET",status="200",le="1"} 1
nginx_http_response_time_seconds_hist_bucket{method="GET",status="200",le="+Inf"} 1
nginx_http_response_time_seconds_hist_sum{method="GET",status="200"} 0.023
nginx_http_response_time_seconds_hist_count{method="GET",status="200"} 1
"""


async def test_before_the_first_line() -> None:
    assert await _page(AccessLog(Settings())) == EMPTY


async def test_one_line() -> None:
    line: dict[str, object] = {
        "method": "GET",
        "status": 200,
        "bytes": 1823400,
        "request_length": "300",
        "request_time": 0.023,
        "upstream_response_time": "",
        "upstream_connect_time": "-",
    }
    log = _feed(Settings(histogram_buckets=(0.01, 1)), line)
    page = await _page(log)
    assert [each for each in page.splitlines() if "_http_" in each] == ONE.splitlines()


async def test_names_and_labels_are_configured() -> None:
    settings = Settings(
        name="shop",
        prefix="web",
        const_labels={"vhost": "shop"},
        labels={"app": "a"},
    )
    samples = await _samples(_feed(settings, {"method": "GET", "status": 200}))
    labels = 'app="a",method="GET",status="200",vhost="shop"'
    assert samples == {
        f"web_http_response_count_total{{{labels}}}": 1,
        'web_parse_errors_total{vhost="shop"}': 0,
        'nginx_exporter_access_log_folded_lines_total{log="shop"}': 0,
        'nginx_exporter_access_log_lines_total{log="shop"}': 1,
        'nginx_exporter_access_log_parse_errors_total{log="shop",reason="line"}': 0,
        'nginx_exporter_access_log_parse_errors_total{log="shop",reason="value"}': 0,
    }


async def test_without_a_prefix() -> None:
    samples = await _samples(_feed(Settings(prefix=""), b"{}"))
    assert samples['http_response_count_total{method="",status=""}'] == 1


@pytest.mark.parametrize("prefix", ["my-app", "1a", "a b", "ä", "{}"])
def test_a_prefix_must_be_one(prefix: str) -> None:
    with pytest.raises(StartError, match="cannot begin the name of a metric"):
        AccessLog(Settings(prefix=prefix))


async def test_lists_are_summed_and_the_header_time_has_a_histogram() -> None:
    line: dict[str, object] = {
        "upstream_response_time": "0.25, 0.5",
        "upstream_header_time": "0.25 : 0.125",
    }
    samples = await _samples(_feed(Settings(), line))
    labels = '{method="",status=""}'
    assert samples[f"nginx_http_upstream_time_seconds_sum{labels}"] == 0.75
    assert samples[f"nginx_http_upstream_time_seconds_hist_sum{labels}"] == 0.75
    assert samples[f"nginx_http_upstream_header_time_seconds_hist_sum{labels}"] == 0.375
    assert f"nginx_http_upstream_header_time_seconds_sum{labels}" not in samples


async def test_a_bad_value_does_not_cost_the_line() -> None:
    line: dict[str, object] = {
        "method": "GET",
        "status": "200",
        "bytes": "-1",
        "request_length": "NaN",
        "request_time": "1e400",
        "upstream_response_time": "0.1, x",
    }
    samples = await _samples(_feed(Settings(), line, b"no json", b'{"bytes":7}'))
    assert samples['nginx_http_response_count_total{method="GET",status="200"}'] == 1
    assert samples['nginx_http_response_size_bytes{method="",status=""}'] == 7
    assert samples["nginx_parse_errors_total"] == 5
    errors = 'nginx_exporter_access_log_parse_errors_total{log="nginx",reason="%s"}'
    assert samples[errors % "line"] == 1
    assert samples[errors % "value"] == 4
    assert not any("time_seconds" in name for name in samples)


async def test_large_sums_stay_finite() -> None:
    large = b'{"bytes":9223372036854774784}'
    samples = await _samples(_feed(Settings(), *[large] * 1000))
    name = 'nginx_http_response_size_bytes{method="",status=""}'
    assert samples[name] == pytest.approx(9.223372036854774784e21)


async def test_quantiles_are_of_the_last_ten_minutes() -> None:
    clock = Clock()
    log = AccessLog(Settings(), clock)
    log.line(b'{"request_time":1}')
    name = 'nginx_http_response_time_seconds{method="",status="",quantile="0.5"}'
    clock.seconds += 470
    assert (await _samples(log))[name] == 1
    log.line(b'{"request_time":3}')
    log.line(b'{"request_time":3}')
    clock.seconds += 130
    assert (await _samples(log))[name] == 3
    clock.seconds += 1e6
    samples = await _samples(log)
    assert math.isnan(samples[name])
    count = 'nginx_http_response_time_seconds_count{method="",status=""}'
    assert samples[count] == 3


async def test_lines_are_not_logged_and_errors_seldom(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    log = AccessLog(Settings(name="shop"), clock)
    for _ in range(1000):
        log.line(b"GET /?token=sekret")
    clock.seconds += 60
    log.line(b'{"request_time":"sekret"}')
    log.line(b"")
    records = [record.__dict__["fields"] for record in caplog.records]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert records == [
        {
            "log": "shop",
            "error": "expected one JSON object: "
            "Expecting value: line 1 column 1 (char 0)",
            "errors": 1,
        },
        {
            "log": "shop",
            "error": "request_time: expected a number from 0 on",
            "errors": 1001,
        },
    ]


TIMED = '$remote_addr [$time_local] "$request" $status $body_bytes_sent $request_time'


async def test_text() -> None:
    uri = Relabeling("uri", "request", 2, matches=(Match("^/([a-z]+)", "/$1"),))
    settings = Settings(parser="text", format=TIMED, relabel_configs=(uri,))
    line = b'::1 [03/Feb/2026:11:22:33 +0800] "GET /shop/ HTTP/1.1" 200 518 0.25'
    samples = await _samples(_feed(settings, line, b"x"))
    labels = '{method="GET",status="200",uri="/shop/"}'
    assert samples[f"nginx_http_response_count_total{labels}"] == 1
    assert samples[f"nginx_http_response_size_bytes{labels}"] == 518
    assert samples[f"nginx_http_response_time_seconds_sum{labels}"] == 0.25
    assert samples["nginx_parse_errors_total"] == 1


# Four requests as nginx 1.22.1 logs them: a page, one that three servers were tried
# for, garbage, and a method that is not on the list.
AGENT = rb"say \x22hi\x22 \x5C \xC3\xA4"
RECORDED = {
    "escape=json": (
        rb'{"method":"GET","status":200,"bytes":2,"request_time":0.000,'
        rb'"upstream_response_time":"","ua":"say \"hi\" \\ ' + "ä".encode() + b'"}',
        (
            rb'{"method":"GET","status":503,"bytes":197,"request_time":0.001,'
            rb'"upstream_response_time":"0.000, 0.000, 0.001","ua":""}'
        ),
        (
            rb'{"method":"","status":400,"bytes":157,"request_time":0.000,'
            rb'"upstream_response_time":"","ua":""}'
        ),
        (
            rb'{"method":"PROPFIND","status":200,"bytes":2,"request_time":0.000,'
            rb'"upstream_response_time":"","ua":""}'
        ),
    ),
    "escape=default": (
        rb'{"request":"GET / HTTP/1.1","status":200,"body_bytes_sent":2,'
        rb'"request_time":0.000,"upstream_response_time":"-","ua":"' + AGENT + b'"}',
        (
            rb'{"request":"GET /p HTTP/1.1","status":503,"body_bytes_sent":197,'
            rb'"request_time":0.001,"upstream_response_time":"0.000, 0.000, 0.001"}'
        ),
        (
            rb'{"request":"\x16\x03\x01\x00\x22","status":400,"body_bytes_sent":157,'
            rb'"request_time":0.000,"upstream_response_time":"-","ua":"-"}'
        ),
        (
            rb'{"request":"PROPFIND / HTTP/1.1","status":200,"body_bytes_sent":2,'
            rb'"request_time":0.000,"upstream_response_time":"-","ua":"-"}'
        ),
    ),
    "text": (
        b'127.0.0.1 [26/Nov/2026:10:31:47 +0000] "GET / HTTP/1.1" 200 2 "'
        + AGENT
        + b'" - 0.000',
        (
            b'127.0.0.1 [26/Nov/2026:10:31:47 +0000] "GET /p HTTP/1.1" 503 197 "-" '
            b"0.000, 0.000, 0.001 0.001"
        ),
        (
            rb'127.0.0.1 [26/Nov/2026:10:31:47 +0000] "\x16\x03\x01\x00\x22" 400 157 '
            rb'"-" - 0.000'
        ),
        (
            b'127.0.0.1 [26/Nov/2026:10:31:47 +0000] "PROPFIND / HTTP/1.1" 200 2 "-" '
            b"- 0.000"
        ),
    ),
}


@pytest.mark.parametrize("written", RECORDED)
async def test_what_nginx_writes(written: str) -> None:
    log_format = (
        '$remote_addr [$time_local] "$request" $status $body_bytes_sent '
        '"$http_user_agent" $upstream_response_time $request_time'
    )
    parser: ParserKind = "text" if written == "text" else "json"
    settings = Settings(parser=parser, format=log_format)
    samples = await _samples(_feed(settings, *RECORDED[written]))
    counted = {
        name.partition("{")[2]: value
        for name, value in samples.items()
        if name.startswith("nginx_http_response_count_total")
    }
    assert counted == {
        'method="GET",status="200"}': 1,
        'method="GET",status="503"}': 1,
        'method="other",status="200"}': 1,
        'method="other",status="400"}': 1,
    }
    assert samples["nginx_parse_errors_total"] == 0
    assert _sum(samples, "nginx_http_response_size_bytes") == 358
    assert _sum(samples, "nginx_http_response_time_seconds_hist_count") == 4
    assert _sum(samples, "nginx_http_upstream_time_seconds_hist_count") == 1
    assert _sum(samples, "nginx_http_upstream_time_seconds_sum") == 0.001


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text()
    | st.sampled_from(["-", "0.1, 0.2", "GET / HTTP/1.1", "200", "1e309", "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)
NAMES = st.sampled_from(
    (
        *("request", "method", "status", "host", "bytes", "request_time", "uri"),
        *("upstream_response_time", "request_length", "upstream_header_time"),
    )
)
JSON_LINES = st.dictionaries(NAMES | st.text(), JSON_VALUES).map(
    lambda line: json.dumps(line).encode()
)
TEXT_LINES = st.lists(
    st.sampled_from(['"', "[", "]", " ", "GET", "-", "1", "\xff"])
).map(lambda parts: "".join(parts).encode())
EVERY = (Relabeling("uri", "uri"), Relabeling("agent", "agent", matches=(Match("."),)))


@pytest.mark.parametrize(
    "settings",
    [
        Settings(hosts=("a",), relabel_configs=EVERY, max_series=3),
        Settings(parser="text", format=TIMED, max_series=0),
    ],
    ids=["json", "text"],
)
@examples(max_examples=50)
@given(lines=st.lists(st.binary() | JSON_LINES | TEXT_LINES, max_size=8))
async def test_no_line_raises_and_none_is_lost(
    settings: Settings, lines: list[bytes]
) -> None:
    log = _feed(settings, *lines)
    samples = await _samples(log)
    counts = _sum(samples, "nginx_http_response_count_total")
    unreadable = _sum(
        samples, 'access_log_parse_errors_total{log="nginx",reason="line"'
    )
    assert samples['nginx_exporter_access_log_lines_total{log="nginx"}'] == len(lines)
    assert counts == len(lines) - unreadable
    assert all(math.isfinite(value) for name, value in samples.items() if value)


def _sum(samples: dict[str, float], part: str) -> float:
    return sum(value for name, value in samples.items() if part in name)


def _random_lines(first: int, last: int) -> Iterable[bytes]:
    rng = random.Random(first)
    for number in range(first, last):
        yield json.dumps(
            {
                "method": rng.choice(["GET", f"M{number}"]),
                "status": rng.randrange(2000),
                "host": f"{number}.example",
                "uri": f"/{number}/{rng.random()}",
                "bytes": rng.randrange(1 << 40),
                "request_time": rng.expovariate(1),
                "upstream_response_time": f"{rng.expovariate(1)}, {rng.random()}",
                f"key{number // 10}": number,
            }
        ).encode()


async def test_memory_stays_where_it_is() -> None:
    settings = Settings(hosts=("a.example",), relabel_configs=EVERY, max_series=100)
    log = _feed(settings, *_random_lines(0, 5000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for line in _random_lines(5000, 10_000):
        log.line(line)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 8 * 1024  # KiB; 5,000 label sets more would take 25 MiB
    samples = await _samples(log)
    names = [each for each in samples if "response_count_total" in each]
    assert len(names) <= 100 + FOLDED_SERIES + 1
    folded = samples['nginx_exporter_access_log_folded_lines_total{log="nginx"}']
    assert folded == 10_000 - 100
