"""Read one response of the Docker API: a log or the events, endless; or a short one.

It is a connection of our own, since one HTTP chunk arrives per log frame, and reading
them through aiohttp costs more than twice the CPU (4.6-5.1 against 2.4 s per million
lines). Also, only here can the orderly end of a response (the empty chunk) be told from
a cut connection, which decides whether an unfinished line is flushed or read again.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

import httptools

from shipper.docker.host import Deadlines, DockerHost


if TYPE_CHECKING:
    from types import TracebackType


HIGH_WATER_BYTES = 64 * 1024
"""Bytes held for the reader before the socket is paused: twice that at most."""

READ_BYTES = 64 * 1024

BURST_SECONDS = 0.002
"""What comes so soon after what came before is part of a burst."""

REST_SECONDS = 0.0005
"""How long the socket is left alone in a burst, so that lines gather there.

dockerd writes a line at a time, of which a Unix socket holds 278. A million lines take
75,000 to 196,000 reads and 2.0 to 4.3 s of CPU without a rest, and with it 4,700 and
1.4 s; the daemon spends as much and is read twice as fast on two busy cores, since it
need not wake anybody for each line.
"""

MAX_ERROR_BYTES = 64 * 1024

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Of a short answer. One container more is 1 to 5 KiB more of the list."""

T = TypeVar("T")


class DockerError(Exception):
    """The daemon cannot be reached or does not answer as its API says; one line."""


class DockerRefusedError(DockerError):
    """The daemon answered with an HTTP error *status* and *message*."""

    def __init__(self, what: str, status: int, message: str) -> None:
        super().__init__(f"{what}: HTTP {status}: {message}")
        self.status = status
        self.message = message


class Response(asyncio.BufferedProtocol):
    """The body of one response, read with back-pressure.

    Leave it with ``async with``: the connection is closed then.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.status = 0
        self.complete = False
        """Whether the body came to its orderly end (the empty chunk was read)."""
        self._headers = asyncio.get_running_loop().create_future()
        self._closed = asyncio.Event()
        self._wakeup = asyncio.Event()
        self._parts: list[bytes] = []
        # Called for each log line: a method of the list costs 0.3 us less than ours.
        self.on_body = self._parts.append
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._held = 0
        self._loop = asyncio.get_running_loop()
        self._received_at = 0.0
        self._rest: asyncio.TimerHandle | None = None
        self._buffer = memoryview(b"")
        self._ended = False
        self._failure: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def read(self) -> bytes:
        """Wait for bytes and return all that are there; ``b""`` at the end."""
        return b"".join(await self.read_parts())

    async def read_parts(self) -> list[bytes]:
        """Wait for bytes and return all that are there; nothing at the end.

        They come in the parts that the daemon sent, of which dockerd makes one for
        each frame; whoever is in between may join and split them.

        At the end ``complete`` tells an orderly one from a cut connection; ``failure``
        says what went wrong with the latter.
        """
        while not self._parts and not self._ended:
            self._wakeup.clear()
            await self._wakeup.wait()
        parts = self._parts[:]
        self._parts.clear()
        self._held = 0
        if self._rest is None:
            self._go_on()
        return parts

    @property
    def failure(self) -> str:
        """Why a body ended that is not ``complete``."""
        return self._failure or "connection closed in the middle of the answer"

    def close(self) -> None:
        """Drop the connection at once; nothing is read any more."""
        self._end(None)
        if self._rest is not None:
            self._rest.cancel()
        if self._transport is not None:
            self._transport.abort()

    def ask(self, request: bytes) -> None:
        """Send *request* over the connection that was made."""
        assert self._transport is not None
        self._transport.write(request)

    async def accepted(self) -> None:
        """Wait for the status line and the headers, and for a refusal's text.

        Raises DockerRefusedError on any status but 200, DockerError when the connection
        ends before an answer.
        """
        await self._headers
        if self.status != 200:
            raise await _refusal(self)

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; make dead peers show on TCP."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - it is a hint
        """Give room for what comes; kept only while it is read into."""
        self._buffer = memoryview(bytearray(READ_BYTES))
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Parse what came; let the socket rest in a burst, or behind a slow reader."""
        data, self._buffer = self._buffer[:nbytes], memoryview(b"")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(f"not HTTP: {error}")
            self.close()
            return
        self._held += nbytes
        if self._parts:
            self._wakeup.set()
        before, self._received_at = self._received_at, self._loop.time()
        burst = self._received_at - before < BURST_SECONDS
        transport = self._transport
        if transport is not None and (burst or self._held > HIGH_WATER_BYTES):
            transport.pause_reading()
            if self._rest is None:
                self._rest = self._loop.call_later(REST_SECONDS, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._go_on()

    def _go_on(self) -> None:
        """Read from the socket again, unless too much waits for the reader."""
        if self._held <= HIGH_WATER_BYTES and self._transport is not None:
            self._transport.resume_reading()

    def eof_received(self) -> None:
        """Close: the daemon never half-closes an answer it goes on with."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake the reader; not an orderly end unless the empty chunk was read."""
        self._end(str(exc) if exc is not None else None)
        self._closed.set()

    # httptools callbacks

    def on_headers_complete(self) -> None:
        """Note the status."""
        self.status = self._parser.get_status_code()
        if not self._headers.done():
            self._headers.set_result(None)

    def on_message_complete(self) -> None:
        """Note the orderly end."""
        self.complete = True
        self._end(None)

    def _end(self, failure: str | None) -> None:
        if self._ended:
            return
        self._ended = True
        self._failure = failure
        self._wakeup.set()
        if not self._headers.done():
            reason = failure or "connection closed before an answer"
            self._headers.set_exception(DockerError(f"{self.what}: {reason}"))
            self._headers.exception()  # the one who asked may have gone


async def get(host: DockerHost, target: str, deadlines: Deadlines) -> Response:
    """Send ``GET`` *target* (path and query) and return the answer, headers read.

    Raises DockerRefusedError on any status but 200, DockerError when the daemon cannot
    be reached or lets a deadline pass.
    """
    response = await ask(host, target, deadlines)
    try:
        async with _in_time(response.what, deadlines):
            await response.accepted()
    except BaseException:
        response.close()
        raise
    return response


async def get_whole(
    host: DockerHost, target: str, deadlines: Deadlines, parse: Callable[[bytes], T]
) -> T:
    """Return what *parse* makes of the short answer to ``GET`` *target*.

    *parse* raises ValueError for what it cannot understand. Each has a connection of
    its own: to keep one would save 0.3 ms of CPU, and cost the question whether the
    daemon closes it just now.

    Raises DockerError as `get`, and when the answer is cut, too long or no such answer.
    """
    response = await ask(host, target, deadlines)
    async with response, _in_time(response.what, deadlines):
        await response.accepted()
        body = await _whole(response)
    try:
        return parse(body)
    except (ValueError, RecursionError) as error:
        # Nothing but JSON itself tells the end of an answer until the connection's.
        reason = error if response.complete else response.failure
        raise DockerError(f"{response.what}: {reason}") from error


async def _whole(response: Response) -> bytes:
    found: list[bytes] = []
    size = 0
    while parts := await response.read_parts():
        found += parts
        size += sum(map(len, parts))
        if size > MAX_ANSWER_BYTES:
            raise DockerError(f"{response.what}: an answer of over {size} bytes")
    return b"".join(found)


@asynccontextmanager
async def _in_time(what: str, deadlines: Deadlines) -> AsyncIterator[None]:
    """Limit a wait for an answer to *what*; DockerError when the time is over."""
    limit = deadlines.headers_seconds
    try:
        async with asyncio.timeout(limit):
            yield
    except TimeoutError:
        raise DockerError(f"{what}: no answer within {limit:g} s") from None


async def ask(host: DockerHost, target: str, deadlines: Deadlines) -> Response:
    """Send ``GET`` *target*, do not wait for an answer (see `Response.accepted`).

    Raises DockerError when the daemon cannot be reached in time.
    """
    response = Response(f"{host.url} GET {target.partition('?')[0]}")
    try:
        async with asyncio.timeout(deadlines.connect_seconds):
            await _connect(host, response)
    except TimeoutError:
        response.close()
        raise DockerError(
            f"{host.url}: no connection within {deadlines.connect_seconds:g} s"
        ) from None
    except OSError as error:
        raise DockerError(f"{host.url}: {error.strerror or error}") from error
    response.ask(_request(host, target))
    return response


async def _connect(host: DockerHost, response: Response) -> None:
    loop = asyncio.get_running_loop()
    path = host.unix_path
    if path is not None:
        await loop.create_unix_connection(lambda: response, path)
        return
    name, port = host.address
    tls = host.tls
    server_name = host.server_name if tls is not None else None
    await loop.create_connection(
        lambda: response, name, port, ssl=tls, server_hostname=server_name
    )


def _request(host: DockerHost, target: str) -> bytes:
    name = "docker"
    if host.unix_path is None:
        name = urlsplit(host.url).netloc.rpartition("@")[2]
    lines = [f"GET {target} HTTP/1.1", f"Host: {name}", "User-Agent: shipper"]
    lines += [f"{key}: {value}" for key, value in host.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _refusal(response: Response) -> DockerRefusedError:
    """Read the message of an HTTP error: JSON of the daemon or a proxy's page."""
    body = b""
    while len(body) < MAX_ERROR_BYTES and (data := await response.read()):
        body += data
    message = body.decode(errors="replace")
    with suppress(ValueError, KeyError, TypeError):
        message = str(json.loads(body)["message"])
    one_line = " ".join(message.split())[:500]
    return DockerRefusedError(response.what, response.status, one_line or "no message")
