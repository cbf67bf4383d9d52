"""What gets through deploy/docker-proxy/haproxy.cfg and what does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.deploy.docker_proxy import Daemon, Proxy, proxy, status
from tests.e2e.stack import wait_until


pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

ID = "0123456789abcdef" * 4
LOG = f"/containers/{ID}/logs"

ALLOWED = [
    "/_ping",
    "/v1.41/_ping",
    "/version",
    "/v1.41/version",
    "/v1.52/networks",
    "/events?since=1&until=2",
    "/v1.41/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D",
    "/containers/json",
    "/v1.41/containers/json?all=1&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D",
    f"/v1.41/containers/{ID}/json",
    f"/v1.41{LOG}?follow=1&stdout=1&stderr=0&timestamps=1&since=1.5&tail=20",
    "/containers/json?filters=" + "a" * 8000,
]

REFUSED_METHODS = [
    ("POST", "/containers/create"),
    ("POST", f"/containers/{ID}/kill"),
    ("POST", f"/containers/{ID}/exec"),
    ("POST", f"/containers/{ID}/attach"),
    ("POST", "/build"),
    ("POST", "/session"),
    ("POST", "/grpc"),
    ("POST", "/_ping"),
    ("PUT", f"/containers/{ID}/archive?path=/"),
    ("PATCH", "/_ping"),
    ("DELETE", f"/containers/{ID}"),
    ("OPTIONS", "/_ping"),
    ("TRACE", "/_ping"),
    ("get", "/_ping"),
]

REFUSED_PATHS = [
    f"/containers/{ID}/archive?path=/etc/passwd",
    f"/containers/{ID}/export",
    f"/containers/{ID}/top",
    f"/containers/{ID}/stats",
    f"/containers/{ID}/changes",
    f"/containers/{ID}/attach/ws?stream=1",
    f"/exec/{ID}/json",
    "/images/json",
    "/images/a/get",
    "/secrets",
    "/configs",
    "/swarm",
    "/swarm/unlockkey",
    "/services",
    "/tasks",
    "/nodes",
    "/volumes",
    "/plugins",
    "/info",
    "/system/df",
    "/distribution/a/json",
    "/networks/bridge",
    "/",
    "/v1.41",
    "/v2.0/version",
    "/v1.4100/version",
    # By name or by part of an id: the shipper asks by the whole id.
    "/containers/mysql/json",
    f"/containers/{ID[:12]}/json",
    f"/containers/{ID.upper()}/json",
    # Tricks.
    "//containers/json",
    "/containers//json",
    "/containers/json/",
    "/containers/json;a",
    "/CONTAINERS/JSON",
    "/%63ontainers/json",
    "/containers/json/../../info",
    "/containers/json/%2e%2e/%2e%2e/info",
    "/v1.41/../info",
    f"{LOG}/../archive?path=/etc/passwd",
    f"/containers/{ID}%2farchive%3f/json",
    "/_ping\\..\\info",
    "http://docker/containers/json",
    "http://docker/info",
    "/_ping\t/info",
    # Adds up the files of every container.
    "/containers/json?size=1",
    "/containers/json?all=1&size=true",
    "/containers/json?all=1;size=1",
    "/containers/json?%73ize=1",
    f"/containers/{ID}/json?si%7Ae=1",
]

ASKED = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n"
REFUSED_HEADERS = {
    "a body": b"Content-Length: 3\r\n\r\nabc",
    "an empty body": b"Content-Length: 0\r\n\r\n",
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nabcde",
    "a length, chunks and more": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
    b"\r\n0\r\n\r\nGET /info HTTP/1.1\r\nHost: a\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n",
    "a blank before the colon": b"Transfer-Encoding : chunked\r\n\r\n",
    "a websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n",
    "a raw stream": b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    "an offer of HTTP/2": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    "very many": b"A: b\r\n" * 500 + b"\r\n",
}
END = b" HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"
REFUSED_LINES = {
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    "HTTP/0.9": b"GET /_ping\r\n",
    "a zero byte": b"GET /_ping\0" + END,
    "another character set": "GET /_ping?ü".encode() + END,
    "a fragment": b"GET /_ping#a" + END,
    "a star": b"GET *" + END,
    "two paths": b"GET /_ping /info" + END,
    "a very long one": b"GET /_ping?" + b"a" * 20000 + END,
}
REFUSED_REQUESTS = REFUSED_LINES | {
    name: ASKED + rest for name, rest in REFUSED_HEADERS.items()
}


@pytest.mark.parametrize("target", ALLOWED)
def test_what_the_shipper_asks_arrives_as_it_was_sent(
    double: tuple[Proxy, Daemon], target: str
) -> None:
    found, daemon = double
    assert found.ask(target) == 200
    assert [head.split(b"\r\n")[0] for head in daemon.heads] == [
        f"GET {target} HTTP/1.1".encode()
    ]


def test_the_head_of_an_answer_may_be_asked_for(double: tuple[Proxy, Daemon]) -> None:
    found, daemon = double
    daemon.script = [b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n\r\n"]
    answer = found.raw(b"HEAD /_ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"api-version: 1.41" in answer.lower()


@pytest.mark.parametrize(("method", "target"), REFUSED_METHODS)
def test_only_reading_is_allowed(
    double: tuple[Proxy, Daemon], method: str, target: str
) -> None:
    found, daemon = double
    assert found.ask(target, method) == 403
    assert daemon.heads == []


@pytest.mark.parametrize("target", REFUSED_PATHS)
def test_only_what_is_listed_is_allowed(
    double: tuple[Proxy, Daemon], target: str
) -> None:
    found, daemon = double
    assert found.ask(target) in {400, 403}
    assert daemon.heads == []


@pytest.mark.parametrize(
    "request_bytes", REFUSED_REQUESTS.values(), ids=REFUSED_REQUESTS
)
def test_a_crooked_request_reaches_nobody(
    double: tuple[Proxy, Daemon], request_bytes: bytes
) -> None:
    found, daemon = double
    assert status(found.raw(request_bytes)) in {400, 403}
    assert daemon.heads == []


def test_a_second_request_is_judged_like_a_first(
    double: tuple[Proxy, Daemon],
) -> None:
    found, daemon = double
    answer = found.raw(
        b"GET /_ping HTTP/1.1\r\nHost: a\r\n\r\n"
        b"GET /info HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    assert answer.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 403 " in answer
    assert len(daemon.heads) == 1


def test_a_refusal_is_what_a_docker_client_can_show(
    double: tuple[Proxy, Daemon],
) -> None:
    found, _ = double
    answer = found.raw(b"GET /info HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert body == {"message": "docker-proxy: not on the list of what may be asked"}


def test_only_refusals_and_failures_are_logged(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "docker.sock")
    with proxy(tmp_path) as found:
        assert found.ask("/version") == 200
        assert found.ask("/secrets") == 403
        daemon.end()
        assert found.ask("/networks") == 503
        wait_until(lambda: "/networks" in found.container.logs(), "a line")
        text = found.container.logs()
    assert "/version" not in text
    assert "403 150 - - PR-- " in text
    assert '"GET /secrets HTTP/1.1"' in text
    assert "WARNING" not in text


def test_a_daemon_that_comes_back_is_found(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "docker.sock")
    with proxy(tmp_path) as found:
        assert found.ask("/version") == 200
        daemon.end()
        assert found.ask("/version") == 503
        daemon = Daemon(tmp_path / "docker.sock")
        assert found.ask("/version") == 200
    daemon.end()
