"""Call a method by XML-RPC over HTTP or a Unix socket (mattn/go-xmlrpc).

Import this only for a collector that is switched on: it brings expat and urllib.
"""

from __future__ import annotations

import base64
import http.client
import socket
import time
import urllib.error
import urllib.request
import xmlrpc.client
from contextlib import closing
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from xml.parsers.expat import ExpatError


# A thousand processes of supervisord are about 2 MB.
_LARGEST_ANSWER_BYTES = 16 * 1024 * 1024
_CHUNK = 65_536
_HEADERS = {"Content-Type": "text/xml"}
# What the standard library raises for bytes that are no XML-RPC.
_NOT_XMLRPC = (xmlrpc.client.Error, ExpatError, LookupError, TypeError, ValueError)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over the Unix socket at *path*."""

    def __init__(self, path: str, timeout_seconds: float) -> None:
        super().__init__("unix", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        """Connect; http.client calls this for the first request."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def call(url: str, method: str, timeout_seconds: float) -> Any:
    """Return what *method*, called without arguments at *url*, gives.

    ``unix:///path`` is a server behind a socket. Raises OSError (TimeoutError past
    *timeout_seconds*) and ValueError.
    """
    until = time.monotonic() + timeout_seconds
    body = xmlrpc.client.dumps((), method).encode()
    parts = urlsplit(url)
    try:
        if parts.scheme == "unix":
            data = _post_to_socket(unquote(parts.path), body, until)
        else:
            data = _post(parts, body, until)
    except http.client.HTTPException as error:
        raise ValueError(f"expected an HTTP answer, got {error!r}") from error
    return parse(data)


def parse(data: bytes) -> Any:
    """Return the value in the answer *data*. Raises ValueError, for a fault too."""
    try:
        values, _ = xmlrpc.client.loads(data)
    except xmlrpc.client.Fault as fault:
        reason = f"fault {fault.faultCode}: {fault.faultString}"
        raise ValueError(reason) from fault
    except _NOT_XMLRPC as error:
        raise ValueError(f"expected an XML-RPC answer, got {data!r:.80}") from error
    if len(values) != 1:
        raise ValueError(f"expected one value in the answer, got {len(values)}")
    return values[0]


def _post_to_socket(path: str, body: bytes, until: float) -> bytes:
    connection = _UnixConnection(path, until - time.monotonic())
    with closing(connection):
        connection.request("POST", "/RPC2", body, _HEADERS)
        response = connection.getresponse()
        if response.status // 100 != 2:
            raise ValueError(f"HTTP status {response.status} {response.reason}")
        return _read(response, until)


def _post(parts: SplitResult, body: bytes, until: float) -> bytes:
    """Post to a server on the network, through the environment's proxy if any."""
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"expected http, https or unix, got {parts.scheme!r}")
    user, at, host = parts.netloc.rpartition("@")
    headers = dict(_HEADERS)
    if at:
        pair = unquote(user if ":" in user else f"{user}:")
        credentials = base64.b64encode(pair.encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    url = parts._replace(netloc=host).geturl()
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - see above
    left = until - time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=left) as response:  # noqa: S310
            return _read(response, until)
    except urllib.error.HTTPError as error:
        with closing(error):
            raise ValueError(f"HTTP status {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, OSError):
            raise error.reason from None
        raise


def _read(response: Any, until: float) -> bytes:
    """Return the body of *response*; a peer that drips does not make it last longer."""
    chunks: list[bytes] = []
    total = 0
    while chunk := response.read1(_CHUNK):
        chunks.append(chunk)
        total += len(chunk)
        if total > _LARGEST_ANSWER_BYTES:
            raise ValueError("expected an answer of at most 16 MiB")
        if time.monotonic() > until:
            raise TimeoutError("no whole answer in time")
    return b"".join(chunks)
