"""How requests are answered, beside the originals: status, headers and body.

What differs has to be in DIFFERENT, with its reason; what is there has to differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.nginx.oracle.answers import different
from tests.nginx.oracle.conftest import Doors
from tests.nginx.oracle.originals import ONE_X, SID, Original
from tests.nginx.oracle.running import Request, Together, together


pytestmark = pytest.mark.oracle

ONE = "/metrics?name[]=nginx_up"
PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding="
)
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,"
    "application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


def accept(value: str) -> Request:
    return Request(headers={"Accept": value})


def encoded(value: str) -> Request:
    return Request(headers={"Accept-Encoding": value})


REQUESTS = {
    "all": Request(),
    "HEAD": Request("HEAD"),
    "POST": Request("POST"),
    "PUT": Request("PUT"),
    "DELETE": Request("DELETE"),
    "OPTIONS": Request("OPTIONS"),
    "CONNECT": Request("CONNECT"),
    "unheard-of method": Request("BREW"),
    "close": Request(headers={"Connection": "close"}),
    "expect": Request(headers={"Expect": "100-continue"}),
    "one name": Request(path=ONE),
    "two names": Request(path=f"{ONE}&name[]=nginx_connections_active"),
    "escaped name": Request(path="/metrics?name%5B%5D=nginx_up"),
    "unknown name": Request(path="/metrics?name[]=nope"),
    "empty name": Request(path="/metrics?name[]="),
    "broken query": Request(path=f"{ONE}&x=%zz"),
    "semicolon": Request(path="/metrics?a=b;c"),
    "collect[]": Request(path="/metrics?collect[]=cpu"),
    "text": accept("text/plain;version=0.0.4"),
    "any": accept("*/*"),
    "no type": accept(""),
    "openmetrics only": accept("application/openmetrics-text;version=1.0.0"),
    "Prometheus 2": accept(PROMETHEUS_2),
    "Prometheus 3": accept(PROMETHEUS_3),
    "protobuf": accept(f"{PROTOBUF}delimited"),
    "protobuf text": accept(f"{PROTOBUF}text"),
    "protobuf compact": accept(f"{PROTOBUF}compact-text"),
    "utf-8": accept("text/plain;version=1.0.0;escaping=allow-utf-8"),
    "json": accept("application/json"),
    "html": accept("text/html"),
    "gzip": encoded("gzip"),
    "gzip or zstd": encoded("zstd,gzip"),
    "gzip only": encoded("gzip, *;q=0"),
    "no gzip": encoded("gzip;q=0"),
    "identity": encoded("identity"),
    "zstd": encoded("zstd"),
    "any coding": encoded("*"),
    "escaped path": Request(path="/%6detrics"),
    "two slashes": Request(path="//metrics"),
    "two slashes, HEAD": Request("HEAD", "//metrics"),
    "two slashes, POST": Request("POST", "//metrics"),
    "dots": Request(path="/a/../metrics?x=1"),
    "slash behind": Request(path="/metrics/"),
    "nowhere": Request(path="/nope"),
    "nowhere, HEAD": Request("HEAD", "/nope"),
    "nowhere, POST": Request("POST", "/nope"),
    "nowhere, two slashes": Request(path="/nope//nope"),
    "profile": Request(path="/debug/pprof/heap"),
    "icon": Request(path="/favicon.ico"),
    "healthy": Request(path="/-/healthy"),
    "ready": Request(path="/-/ready"),
    "landing": Request(path="/"),
    "landing, HEAD": Request("HEAD", "/"),
    "landing, POST": Request("POST", "/"),
}


class Difference(NamedTuple):
    """What of an answer differs, and why."""

    originals: tuple[Original, ...]
    requests: str  # a regular expression, whole, over the keys of REQUESTS
    what: tuple[str, ...]  # "status", "body" or the name of a header
    reason: str


DIFFERENT = (
    Difference(
        (SID,),
        "(one|escaped|unknown|empty) name|two names|broken query",
        ("body",),
        "?name[]= is newer than its client_golang",
    ),
    Difference(
        ONE_X,
        "openmetrics only",
        ("content-type", "body"),
        "they answer in text who takes OpenMetrics only",
    ),
    Difference(ONE_X, "healthy|ready", ("status", "body"), "new in ours"),
    Difference((SID,), "CONNECT", ("connection",), "its Go only closes, 1.27 says so"),
)


@pytest.fixture(scope="module")
def exporters(doors: Doors) -> Iterator[Together]:
    """Run all for all tests of this module."""
    uri = doors.fill("--nginx.scrape-uri=http://127.0.0.1:{plain}/fixed")
    with together(ONE_X, [uri]) as running:
        yield running


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("original", ONE_X, ids=str)
def test_answer(name: str, original: Original, exporters: Together) -> None:
    pair = exporters.beside(original)
    found = different(*(each.ask(REQUESTS[name]) for each in pair))
    expected = {
        what
        for difference in DIFFERENT
        if original in difference.originals and re.fullmatch(difference.requests, name)
        for what in difference.what
    }
    assert found.keys() == expected, found
