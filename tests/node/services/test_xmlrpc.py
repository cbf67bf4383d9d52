from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.services import xmlrpc as calling


ANSWER = xmlrpc.client.dumps(([1, "two"],), methodresponse=True).encode()


class Handler(BaseHTTPRequestHandler):
    """Answers with what the server holds; keeps what it was asked."""

    server: Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        self.server.asked.append((self.path, dict(self.headers), body))
        self.server.release.wait(self.server.seconds_to_think)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for start in range(0, len(self.server.answer), self.server.piece):
                self.wfile.write(self.server.answer[start:][: self.server.piece])
                self.server.release.wait(self.server.seconds_between)

    def log_message(self, *_: object) -> None:
        pass

    def address_string(self) -> str:
        return "peer"


class Server(HTTPServer):
    """An XML-RPC server that may be slow."""

    status = 200
    answer = ANSWER
    piece = 1 << 20
    seconds_to_think = 0.0
    seconds_between = 0.0

    def __init__(self, address: tuple[str, int] | str) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.release = threading.Event()
        super().__init__(address, Handler)  # type: ignore[arg-type]


class UnixServer(Server):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(("127.0.0.1", 0))) as server:
        yield server


def url(server: Server, user: str = "") -> str:
    return f"http://{user}127.0.0.1:{server.server_port}/RPC2"


def test_a_call_over_http(server: Server) -> None:
    assert calling.call(url(server), "clock.read", 10) == [1, "two"]
    ((path, headers, body),) = server.asked
    assert path == "/RPC2"
    assert headers["Content-Type"] == "text/xml"
    assert "Authorization" not in headers
    assert xmlrpc.client.loads(body.decode()) == ((), "clock.read")


@pytest.mark.parametrize(
    ("user", "header"),
    [("anna:s%40fe@", "Basic YW5uYTpzQGZl"), ("anna@", "Basic YW5uYTo=")],
)
def test_the_name_in_the_url_is_for_the_server(
    server: Server, user: str, header: str
) -> None:
    calling.call(url(server, user), "clock.read", 10)
    ((_, headers, _),) = server.asked
    assert headers["Authorization"] == header
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"


def test_a_call_over_a_socket(tmp_path: Path) -> None:
    with serving(UnixServer(f"{tmp_path}/a socket")) as server:
        answer = calling.call(f"unix://{tmp_path}/a%20socket", "clock.read", 10)
    assert answer == [1, "two"]
    ((path, headers, _),) = server.asked
    assert (path, headers["Host"]) == ("/RPC2", "unix")


def test_another_status_is_an_error(server: Server) -> None:
    server.status = 401
    with pytest.raises(ValueError, match="HTTP status 401 Unauthorized"):
        calling.call(url(server), "clock.read", 10)


def test_another_status_over_a_socket_is_an_error(tmp_path: Path) -> None:
    with serving(UnixServer(f"{tmp_path}/s")) as server:
        server.status = 500
        with pytest.raises(ValueError, match="HTTP status 500 Internal Server Error"):
            calling.call(f"unix://{tmp_path}/s", "clock.read", 10)


@pytest.mark.parametrize(
    ("think", "between", "piece"), [(30.0, 0.0, 1 << 20), (0.0, 0.05, 1)]
)
def test_a_server_that_is_slow_or_drips_costs_no_more_than_the_time_given(
    server: Server, think: float, between: float, piece: int
) -> None:
    server.seconds_to_think, server.seconds_between = think, between
    server.piece = piece
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        calling.call(url(server), "clock.read", 0.3)
    assert time.monotonic() - began < 2


def test_an_answer_without_end_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "_LARGEST_ANSWER_BYTES", len(ANSWER) - 1)
    with pytest.raises(ValueError, match="at most 16 MiB"):
        calling.call(url(server), "clock.read", 10)


def test_nobody_there_is_the_kernel_s_error(tmp_path: Path) -> None:
    with serving(Server(("127.0.0.1", 0))) as server:
        closed = url(server)
    with pytest.raises(ConnectionRefusedError):
        calling.call(closed, "clock.read", 10)
    with pytest.raises(FileNotFoundError):
        calling.call(f"unix://{tmp_path}/none", "clock.read", 10)


@pytest.mark.parametrize("bad", ["file:///etc/passwd", "localhost:9001", "", "data:,x"])
def test_a_url_of_another_kind_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="expected http, https or unix"):
        calling.call(bad, "clock.read", 10)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "expected an XML-RPC answer, got b''"),
        (b"<html/>", "expected an XML-RPC answer, got b'<html/>'"),
        (
            xmlrpc.client.dumps(xmlrpc.client.Fault(6, "SHUTDOWN_STATE")).encode(),
            "fault 6: SHUTDOWN_STATE",
        ),
        (
            xmlrpc.client.dumps((1, 2)).encode(),
            "expected one value in the answer, got 2",
        ),
    ],
)
def test_what_is_no_answer_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        calling.parse(data)


@given(data=st.data())
def test_a_damaged_answer_raises_only_value_error(data: st.DataObject) -> None:
    rich = ([{"a": 1, "b": [True, 1.5, b"x"], "c": "text"}],)
    good = xmlrpc.client.dumps(rich, methodresponse=True).encode()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 40)))
    tags = st.sampled_from([b"<value>", b"</struct>", b"</array>", b"<nil/>", b"<int>"])
    damaged = good[:start] + data.draw(st.binary(max_size=8) | tags) + good[end:]
    with contextlib.suppress(ValueError):
        calling.parse(damaged)
