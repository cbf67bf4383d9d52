from __future__ import annotations

import errno
import socket
import ssl

import pytest

from exporters.nginx.http.faults import reason, refusal, unreachable


NGINX = "nginx:8080"


def _os_error(number: int) -> OSError:
    # As asyncio words it: the kernel's text is not in it.
    return OSError(number, f"Connect call failed ('10.0.0.1', {number})")


@pytest.mark.parametrize(
    ("where", "error", "text"),
    [
        (
            "unix socket /n.sock",
            _os_error(errno.EACCES),
            "connect to unix socket /n.sock: Permission denied",
        ),
        (
            "unix socket /n.sock",
            _os_error(errno.ECONNREFUSED),
            "connect to unix socket /n.sock: Connection refused",
        ),
        (
            "unix socket /n.sock",
            OSError("AF_UNIX path too long"),
            "connect to unix socket /n.sock: AF_UNIX path too long",
        ),
        (
            NGINX,
            _os_error(errno.EHOSTUNREACH),
            "connect to nginx:8080: No route to host",
        ),
        (
            NGINX,
            _os_error(errno.EMFILE),
            "connect to nginx:8080: Too many open files",
        ),
        (
            NGINX,
            OSError(
                "Multiple exceptions: "
                "[Errno 111] Connect call failed ('::1', 80, 0, 0), "
                "[Errno 111] Connect call failed ('127.0.0.1', 80), "
                "[Errno 101] Network is unreachable"
            ),
            "connect to nginx:8080: Connection refused, Network is unreachable",
        ),
        (
            NGINX,
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "look up host nginx: Name or service not known",
        ),
        (
            NGINX,
            ssl.SSLError(
                1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"
            ),
            (
                "connect to nginx:8080: [SSL: WRONG_VERSION_NUMBER] wrong version "
                "number: expected TLS, is this port http://?"
            ),
        ),
    ],
)
def test_where_nothing_can_be_reached(where: str, error: OSError, text: str) -> None:
    assert str(unreachable(where, error)) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TimeoutError(errno.ETIMEDOUT, "x"), "Connection timed out"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "Connection reset by peer"),
        (BrokenPipeError(errno.EPIPE, "x"), "Broken pipe"),
        (OSError("a\nb" + "c" * 999), f"a b{'c' * 197}..."),
        (
            ValueError("http://u:sekret@h"),
            "ValueError while asking, expected an HTTP response",
        ),
    ],
)
def test_one_line_without_a_url(error: Exception, text: str) -> None:
    assert reason(error) == text


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (500, b"", "expected 200 response, got 500"),
        (400, b"<html>Bad Request</html>", "expected 200 response, got 400"),
        (
            400,
            b"<center>The plain HTTP request was sent to HTTPS port</center>",
            "expected 200 response, got 400: is this port https://?",
        ),
        (
            403,
            b"",
            (
                "expected 200 response, got 403: "
                "are this exporter's addresses allowed there?"
            ),
        ),
        (
            404,
            b"",
            "expected 200 response, got 404: is there a location with stub_status?",
        ),
    ],
)
def test_what_most_often_is_behind_a_status(
    status: int, body: bytes, text: str
) -> None:
    assert refusal(status, body) == text
