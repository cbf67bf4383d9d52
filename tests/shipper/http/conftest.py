"""A server that says what a test wants, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress

import pytest

from shipper.http.client import HttpClient, Question
from shipper.http.fields import Fields
from shipper.http.url import Url, read_url


STORED = b"HTTP/1.1 204 No Content\r\n\r\n"
PATIENCE_SECONDS = 20.0

Talk = Callable[["Call"], Awaitable[None]]


class Call:
    """One connection, seen from the server."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def request(self) -> tuple[bytes, bytes]:
        """Return the head and the body of the next request."""
        head = await self.head()
        size = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                size = int(line.partition(b":")[2])
        return head, await self.reader.readexactly(size)

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection without a farewell."""
        self.writer.transport.abort()


class Rig:
    """A server with the talks of its connections, one each; the last is repeated."""

    def __init__(self, talks: tuple[Talk, ...]) -> None:
        self._talks = talks
        self.calls = 0
        self.requests: list[tuple[bytes, bytes]] = []
        self.port = 0

    @property
    def url(self) -> Url:
        return read_url(f"http://127.0.0.1:{self.port}/push?x=1")

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        talk = self._talks[min(self.calls, len(self._talks) - 1)]
        self.calls += 1
        with closing(writer), suppress(ConnectionError, asyncio.IncompleteReadError):
            await talk(Call(reader, writer))

    def answering(self, *answers: bytes) -> Talk:
        """Return a talk: an answer to each request, then the end."""

        async def talk(call: Call) -> None:
            for answer in answers:
                self.requests.append(await call.request())
                await call.say(answer)

        return talk

    def add(self, *talks: Talk) -> None:
        self._talks += talks


@asynccontextmanager
async def rig(*talks: Talk) -> AsyncIterator[Rig]:
    """Let a `Rig` listen on a free port of loopback."""
    made = Rig(talks)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield made
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    try:
        yield client
    finally:
        client.close()


def post(url: Url, body: bytes = b"x", most: int = 1 << 20) -> Question:
    return Question("POST", url, Fields(), most, body)
