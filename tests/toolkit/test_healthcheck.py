from __future__ import annotations

import socket
import threading

import pytest

from exporters.toolkit import healthcheck


def answer_once(reply: bytes) -> int:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(reply)

    threading.Thread(target=serve, daemon=True).start()
    port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("reply", "code", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nfine", 0, ""),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", 0, ""),
        (b"HTTP/1.1 429 Too Many Requests\r\n\r\n", 0, ""),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 1, "expected 200, got 'HTTP/1.1 400"),
        (
            (
                b"HTTP/1.0 400 Bad Request\r\n\r\n"
                b"Client sent an HTTP request to an HTTPS server.\n"
            ),
            0,
            "",
        ),
        (b"SSH-2.0 200\r\n", 1, "expected 200, got 'SSH-2.0 200'"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 1, "expected 200, got 'HTTP/1.1"),
        (b"SSH-2.0-200\r\n", 1, "expected 200, got 'SSH-2.0-200'"),
        (b"", 1, "expected 200, got ''"),
    ],
)
def test_who_is_healthy(
    reply: bytes, code: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    port = answer_once(reply)
    assert healthcheck.main([f":{port}/-/healthy"]) == code
    assert problem in capsys.readouterr().err


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert healthcheck.main([f":{port}/"]) == 1
    assert "Connection refused" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["9100"], [":x/"], ["a", "b"], ["host/path"]])
def test_bad_arguments(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert healthcheck.main(argv) == 1
    assert "expected" in capsys.readouterr().err


def test_parse() -> None:
    assert healthcheck.parse([":9100/-/healthy"]) == (("127.0.0.1", 9100), "/-/healthy")
    assert healthcheck.parse(["store:3100"]) == (("store", 3100), "/")
