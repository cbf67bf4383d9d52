"""What a real nginx writes in formats of every kind, given as they stand in nginx.conf.

What was requested is told by one format more, which no value can break.
"""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from exporters.nginx.access_log.access_log import AccessLog
from exporters.nginx.access_log.from_flags import plans_of
from exporters.nginx.access_log.settings import Settings
from exporters.nginx.access_log.sources.splitter import Splitter
from tests.nginx.access_log.nginx_log import LoggingNginx, logging_nginx
from tests.nginx.access_log.sending import values


pytestmark = pytest.mark.oracle

TRUTH = """log_format truth escape=json
    '{"method":"$request_method","status":"$status",'
    '"bytes":"$body_bytes_sent","length":"$request_length","time":"$request_time",'
    '"upstream":"$upstream_response_time"}';"""

# Each has $status, $body_bytes_sent, $request_length, $request_time and
# $upstream_response_time, and the method as it is or in $request.
FORMATS = {
    "combined_and_more": r"""
        '$remote_addr - $remote_user [$time_local] '
        '"$request" $status $body_bytes_sent '
        '"$http_referer" "$http_user_agent" '
        '$request_length $request_time $upstream_response_time'""",
    "forwarded_for_first": r"""
        '$http_x_forwarded_for $host - $remote_user [$time_local] "$request" $status '
        '$body_bytes_sent $request_length $request_time [$upstream_addr] '
        '$upstream_response_time $upstream_status $request_id'""",
    "names_and_values": r"""
        'time="$time_local" client=$remote_addr method=$request_method '
        'url="$request_uri" length=$request_length status=$status '
        'size=$body_bytes_sent referer=$http_referer agent="$http_user_agent" '
        'tried=$upstream_addr time=$request_time upstream=$upstream_response_time '
        'end=$msec'""",
    "no_blank_between": r"""
        '"$http_user_agent"rt=$request_time uct="$upstream_connect_time"'
        'urt="$upstream_response_time" $request_length "$request"$status '
        '$body_bytes_sent'""",
    "time_without_brackets": r"""
        '$time_local $remote_addr  $request_method "$request_uri" $status '
        '$body_bytes_sent $request_length $upstream_response_time $request_time'""",
    "bars": r"""
        "$time_local | $request | $status | $body_bytes_sent | $request_length | "
        "$http_user_agent | $http_x_forwarded_for | $upstream_response_time"
        " | $request_time"
        """,
    "tabs": r"""
        'time:$time_iso8601\treq:$request\tagent:$http_user_agent\tstatus:$status\t'
        'size:$body_bytes_sent\treqlen:$request_length\treqtime:$request_time\t'
        'apptime:$upstream_response_time'""",
    "brackets": r"""
        '[$scheme://$host$uri -> $proxy_host] "$request" $status '
        '[times: $request_time | $upstream_response_time ] ($body_bytes_sent) '
        '<$request_length>'""",
    "json": r"""escape=json '{'
        '"status":$status,'  # 009 for HTTP/0.9
        '"request_method":"$request_method",'
        '"body_bytes_sent":$body_bytes_sent,"request_length":"$request_length",'
        '"request_time":$request_time,"agent":"$http_user_agent",'
        '"upstream_response_time":$upstream_response_time'
    '}'""",
    "json_members": r"""
        '{"@timestamp":"$time_iso8601","fields":{"request":"$request",'
        '"status":"$status","body_bytes_sent":"$body_bytes_sent",'
        '"request_length":"$request_length","request_time":"$request_time", '
        '"upstream_response_time": $upstream_response_time, '
        '"agent":"$http_user_agent"}}'""",
}

_HEADERS = (
    "",
    (
        'User-Agent: a "b" \\ [c] {d} ä\r\nReferer: http://a/?b="c d", e\r\n'
        "X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n"
    ),
    'User-Agent: " 500 1\r\nReferer: \\\r\nAuthorization: Basic YSBbYl0gImMi\r\n',
)
_PATHS = ("/", "/missing", "/up", "/ä", '/"\\x22\\?{}[]', "/" * 3000)
_ODD = (
    "GET /old\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "get / HTTP/1.1\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\xfc\x03\x03\"'\\\x01\n\r\n",
    "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "PROPFIND /up HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=b",
)


def _requests() -> Iterator[str]:
    for path, headers in product(_PATHS, _HEADERS):
        common = "Host: shop.example\r\nConnection: close\r\n"
        yield f"GET {path} HTTP/1.1\r\n{common}{headers}\r\n"
    yield from _ODD


def _ask(nginx: LoggingNginx, request: str) -> None:
    with socket.create_connection(("127.0.0.1", nginx.port), timeout=30) as connection:
        connection.sendall(request.encode("latin-1"))  # "ä" is no UTF-8
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of what nginx logged, in every format."""
    folder = tmp_path_factory.mktemp("formats")
    with socket.socket() as closed:  # nobody listens: two servers are tried
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        servers = "".join(f"server 127.0.0.{n}:{port} max_fails=0; " for n in (1, 2))
        formats = [f"log_format {name} {text};" for name, text in FORMATS.items()]
        with logging_nginx(
            folder,
            *[
                f"access_log {folder}/{name}.log {name};"
                for name in (*FORMATS, "truth")
            ],
            "location /up { proxy_pass http://two; }",
            http="\n".join((TRUTH, *formats, f"upstream two {{ {servers} }}")),
        ) as nginx:
            for request in _requests():
                _ask(nginx, request)
            nginx.stop()
    return folder


def _lines(file: Path) -> list[bytes]:
    return Splitter().feed(file.read_bytes())


def _settings(text: str) -> Settings:
    (plan,) = plans_of(values("--accesslog.file=/x", f"--accesslog.format={text}"), {})
    return plan.settings


def _total(times: str) -> float:
    return sum(float(each) for each in re.findall(r"[\d.]+", times))


def _truth(folder: Path) -> tuple[Counter[tuple[str, str]], list[float]]:
    """Return the requests by method and status, and the sums of the measures."""
    methods = {"GET", "POST"}
    requests = [json.loads(line) for line in _lines(folder / "truth.log")]
    counts = Counter(
        (each["method"] if each["method"] in methods else "other", each["status"])
        for each in requests
    )
    plain = "bytes", "length", "time"
    sums = [sum(float(each[key]) for each in requests) for key in plain]
    return counts, [*sums, sum(_total(each["upstream"]) for each in requests)]


_SUMS = (
    "nginx_http_response_size_bytes",
    "nginx_http_request_size_bytes",
    "nginx_http_response_time_seconds_hist_sum",
    "nginx_http_upstream_time_seconds_hist_sum",
)


async def _ours(
    settings: Settings, lines: list[bytes]
) -> tuple[Counter[tuple[str, str]], list[float]]:
    log = AccessLog(settings)
    for line in lines:
        log.line(line)
    counts: Counter[tuple[str, str]] = Counter()
    sums = dict.fromkeys(_SUMS, 0.0)
    for family in await log.collect(None):
        for sample in family.samples:
            if sample.name == "nginx_http_response_count_total":
                labels = sample.labels["method"], sample.labels["status"]
                counts[labels] += int(sample.value)
            elif sample.name in sums:
                sums[sample.name] += sample.value
            elif sample.name == "nginx_parse_errors_total":
                assert sample.value == 0
    return counts, list(sums.values())


@pytest.mark.parametrize("name", FORMATS)
async def test_everything_is_counted(name: str, logs: Path) -> None:
    counts, sums = _truth(logs)
    assert counts.total() == len(list(_requests()))
    found, found_sums = await _ours(
        _settings(FORMATS[name]), _lines(logs / f"{name}.log")
    )
    assert _by_status(found) == _by_status(counts)
    if "$request_method" in FORMATS[name]:  # $request has one that nginx refuses
        assert found == counts
    assert found_sums == pytest.approx(sums)


def _by_status(counts: Counter[tuple[str, str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (_, status), count in counts.items():
        found[status] += count
    return found


@pytest.mark.parametrize("name", ["json", "json_members"])
async def test_json_without_its_format(name: str, logs: Path) -> None:
    lines = _lines(logs / f"{name}.log")
    assert await _ours(_settings("json"), lines) == await _ours(
        _settings(FORMATS[name]), lines
    )
