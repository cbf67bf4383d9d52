"""The same lines through prometheus-nginxlog-exporter and through ours.

The program's path is in NGINXLOG_EXPORTER; without it the tests are skipped.
"""

from __future__ import annotations

import json
import math
import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters.nginx.access_log.access_log import AccessLog
from exporters.nginx.access_log.settings import (
    Match,
    ParserKind,
    Relabeling,
    Settings,
)
from exporters.toolkit.exposition import encode


pytestmark = pytest.mark.oracle

PATIENCE_SECONDS = 30
# It reads a file from its end on: what is written until it has seen this is lost.
SIGNAL = "099"
FORMAT = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" $request_length $request_time '
    '"$upstream_response_time" "$upstream_connect_time"'
)
METHODS = ("GET", "POST", "HEAD", "PROPFIND", "TRACE", "")


def _requests(count: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(6)
    for number in range(count):
        seconds = round(rng.lognormvariate(-3, 1.2), 3)
        uri = rng.choice((f"/users/{number}", f"/posts/{number}/edit", "/", "/é?a=b"))
        yield {
            "remote_addr": "203.0.113.7",
            "request": f"{rng.choice(METHODS)} {uri} HTTP/1.1",
            "status": str(rng.choice((200, 204, 304, 404, 500))),
            "body_bytes_sent": rng.choice((0, 518, rng.randrange(1 << 45))),
            "request_length": str(rng.randrange(2000)),
            "request_time": seconds,
            "upstream_response_time": rng.choice(
                (f"{seconds:.3f}", f"{seconds:.3f}, 0.002", f"0.1, - : {seconds:.3f}")
            ),
            "upstream_connect_time": rng.choice(("0.000", "-", "0.001, 0.002")),
            "upstream_header_time": "0.001",
        }


def _as_text(request: dict[str, Any]) -> bytes:
    return (
        (
            '{remote_addr} - - [03/Feb/2026:11:22:33 +0800] "{request}" {status} '
            '{body_bytes_sent} "-" "curl \\x22" {request_length} {request_time:.3f} '
            '"{upstream_response_time}" "{upstream_connect_time}"'
        )
        .format_map(request)
        .encode()
    )


def _as_json(request: dict[str, Any]) -> bytes:
    return json.dumps(request, ensure_ascii=False).encode()


LABELED = Settings(
    prefix="nginx",
    const_labels={"vhost": "app"},
    labels={"app": "shop", "Zone": "a"},
    relabel_configs=(
        Relabeling(
            "uri",
            "request",
            2,
            matches=(
                Match("^/(users|posts)/[0-9]+(/.*)?", "/$1/:id$2"),
                Match("^/é", "/e${1}"),
            ),
        ),
        Relabeling("code", "status", whitelist=("200", "404"), only_counter=True),
        Relabeling("uri", "status"),
        Relabeling("addr", "remote_addr"),
    ),
    histogram_buckets=(0.01, 0.1, 2.5, 1000000.0),
)


def _configuration(settings: Settings, file: Path, port: int) -> str:
    namespace = {
        "name": "app",
        "metrics_override": {"prefix": settings.prefix},
        "namespace_label": next(iter(settings.const_labels), ""),
        "source": {"files": [str(file)]},
        "parser": settings.parser,
        "format": settings.format,
        "labels": dict(settings.labels),
        "relabel_configs": [
            {
                "target_label": each.target_label,
                "from": each.from_,
                "split": each.split,
                "separator": each.separator,
                "whitelist": list(each.whitelist),
                "only_counter": each.only_counter,
                "matches": [
                    {"regexp": match.regexp, "replacement": match.replacement}
                    for match in each.matches
                ],
            }
            for each in settings.relabel_configs
        ],
        "histogram_buckets": list(settings.histogram_buckets),
    }
    listen = {"address": "127.0.0.1", "port": port}
    return yaml.safe_dump({"listen": listen, "namespaces": [namespace]})


@contextmanager
def _oracle(settings: Settings, folder: Path) -> Iterator[tuple[Path, str]]:
    """Run the program; yield the file it follows and where it shows metrics."""
    program = os.environ.get("NGINXLOG_EXPORTER")
    if not program:
        pytest.skip("no prometheus-nginxlog-exporter: not in $NGINXLOG_EXPORTER")
    file, config = folder / "access.log", folder / "config.yaml"
    file.touch()
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    config.write_text(_configuration(settings, file, port))
    output = (folder / "output").open("wb")
    arguments = [program, "-config-file", str(config)]
    with output, subprocess.Popen(arguments, stdout=output, stderr=output) as process:
        try:
            yield file, f"http://127.0.0.1:{port}/metrics"
        finally:
            process.kill()


def _theirs(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            body: bytes = answer.read()
            return body.decode()
    except urllib.error.URLError:
        return ""


def _append(file: Path, *lines: bytes) -> None:
    with file.open("ab") as stream:
        stream.write(b"".join(line + b"\n" for line in lines))


def _through_theirs(settings: Settings, folder: Path, lines: list[bytes]) -> str:
    """Return the page that the program shows when it has counted *lines*."""
    write = _as_text if settings.parser == "text" else _as_json
    signal = write(next(_requests(1)) | {"status": SIGNAL})
    with _oracle(settings, folder) as (file, url):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while f'status="{SIGNAL}"' not in _theirs(url):
            assert time.monotonic() < deadline, (folder / "output").read_text()
            _append(file, signal)
        _append(file, *lines)
        while _seen(page := _theirs(url)) < len(lines):
            assert time.monotonic() < deadline, page
        # It gathers its families one by one while it counts: that page may have the
        # last line in one and not in another.
        return _theirs(url)


def _seen(page: str) -> float:
    """Return how many lines *page* has counted, those for the signal left out."""
    return sum(
        float(line.rpartition(" ")[2])
        for line in page.splitlines()
        if "parse_errors_total" in line[:40] or "response_count_total{" in line
        if not line.startswith("#") and f'"{SIGNAL}"' not in line
    )


def _comparable(page: str) -> list[str]:
    """Return the lines of *page* that have to be equal."""
    return [
        _rounded(line)
        for line in page.splitlines()
        if "nginx_" in line
        if not any(
            word in line
            for word in (
                "nginx_exporter_",
                "nginxlog",
                "upstream_header_time",
                'quantile="',
                f'"{SIGNAL}"',
            )
        )
    ]


def _rounded(line: str) -> str:
    """Return *line* without what depends on when their page was read.

    client_golang adds up the sums of two halves, one for each page; and a line that it
    begins to read while it is written, at the start, is an error.
    """
    series, _, value = line.rpartition(" ")
    if "_sum{" in series:
        return f"{series} {float(value):.9g}"
    return series if "parse_errors_total" in series and line[0] != "#" else line


async def _ours(settings: Settings, lines: list[bytes]) -> str:
    log = AccessLog(settings)
    for line in lines:
        log.line(line)
    return encode(await log.collect(None)).decode()


@pytest.mark.parametrize("settings", [Settings(), LABELED], ids=["plain", "labels"])
@pytest.mark.parametrize("parser", ["json", "text"])
async def test_the_same_families(
    settings: Settings, parser: ParserKind, tmp_path: Path
) -> None:
    settings = replace(settings, parser=parser, format=FORMAT)
    write = _as_text if parser == "text" else _as_json
    lines = [write(request) for request in _requests(2000)]
    lines += b"no line of an access log", b'{"status":'
    theirs = _through_theirs(settings, tmp_path, lines)
    ours = await _ours(settings, lines)
    assert _comparable(ours) == _comparable(theirs)
    assert len(_comparable(ours)) > 200


# rank errors: client_golang's objectives, and the width of a place of ours
@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.99])
async def test_quantiles_are_nearer(quantile: float, tmp_path: Path) -> None:
    times = sorted(request["request_time"] for request in _requests(5000))
    exact = times[math.ceil(quantile * len(times)) - 1]
    requests = (
        {**each, "request": "GET /", "status": "200"} for each in _requests(5000)
    )
    lines = [_as_json(request) for request in requests]
    ours = _quantile(await _ours(Settings(), lines), quantile)
    theirs = _quantile(_through_theirs(Settings(), tmp_path, lines), quantile)
    assert ours == pytest.approx(exact, rel=0.01)
    assert theirs == pytest.approx(exact, rel=0.3)


def _quantile(page: str, quantile: float) -> float:
    begin = "nginx_http_response_time_seconds{"
    end = f'status="200",quantile="{quantile}"}} '
    [value] = [
        line.rpartition(" ")[2]
        for line in page.splitlines()
        if line.startswith(begin) and end in line
    ]
    return float(value)
