from __future__ import annotations

import errno
import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_exceptions import UnixClientConnectorError
from aiohttp.client_reqrep import ConnectionKey

from exporters.nginx.http.faults import explain


KEY = ConnectionKey("nginx", 8080, False, True, None, None, None, None)


def _os_error(number: int) -> OSError:
    # As asyncio words it: the kernel's text is not in it.
    return OSError(number, f"Connect call failed ('10.0.0.1', {number})")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            UnixClientConnectorError("/n.sock", KEY, _os_error(errno.EACCES)),
            "connect to unix socket /n.sock: Permission denied",
        ),
        (
            UnixClientConnectorError("/n.sock", KEY, _os_error(errno.ECONNREFUSED)),
            "connect to unix socket /n.sock: Connection refused",
        ),
        (
            UnixClientConnectorError("/n.sock", KEY, OSError("AF_UNIX path too long")),
            "connect to unix socket /n.sock: AF_UNIX path too long",
        ),
        (
            aiohttp.ClientConnectorError(KEY, _os_error(errno.EHOSTUNREACH)),
            "connect to nginx:8080: No route to host",
        ),
        (
            aiohttp.ClientConnectorError(KEY, _os_error(errno.EMFILE)),
            "connect to nginx:8080: Too many open files",
        ),
        (
            aiohttp.ClientConnectorError(
                KEY,
                OSError(
                    "Multiple exceptions: "
                    "[Errno 111] Connect call failed ('::1', 80, 0, 0), "
                    "[Errno 111] Connect call failed ('127.0.0.1', 80), "
                    "[Errno 101] Network is unreachable"
                ),
            ),
            "connect to nginx:8080: Connection refused, Network is unreachable",
        ),
        (
            aiohttp.ClientConnectorDNSError(
                KEY, socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            ),
            "look up host nginx: Name or service not known",
        ),
        (
            aiohttp.ClientConnectorSSLError(
                KEY, ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
            ),
            "connect to nginx:8080: [SSL: WRONG_VERSION_NUMBER] wrong version number",
        ),
        (TimeoutError(errno.ETIMEDOUT, "x"), "Connection timed out"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "Connection reset by peer"),
        (
            aiohttp.ClientOSError(errno.EPIPE, "x"),
            "Broken pipe",
        ),
        (
            aiohttp.InvalidURL("http://u:sekret@h"),
            "not a URL that can be asked for, expected http://host[:port]/path",
        ),
        (
            ValueError("http://u:sekret@h"),
            "ValueError while asking, expected an HTTP response",
        ),
    ],
)
def test_one_line_without_a_url(error: Exception, text: str) -> None:
    assert explain(error) == text
