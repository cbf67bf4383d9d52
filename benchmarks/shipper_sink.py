"""A Loki that stores nothing: ``python -m benchmarks.shipper_sink PORT``.

It answers 204 to every push at once and keeps the bodies as they came, so that it costs
the same little for whoever pushes; what was in them is counted when it is asked, after
the run. ``GET /count`` says lines, bytes, pushes and when the first one came (seconds
of CLOCK_MONOTONIC), and forgets the bodies.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import cramjam
import httptools


LISTEN = "127.0.0.1"


class Received(NamedTuple):
    """What the sink was given."""

    lines: int
    bytes: int
    pushes: int
    first_at: float


class Store:
    """The bodies of all connections."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.first_at = 0.0

    def add(self, body: bytes) -> None:
        """Keep *body*; note when the first one came."""
        self.first_at = self.first_at or time.monotonic()
        self.bodies.append(body)

    def take(self) -> Received:
        """Return what has come, and begin anew."""
        bodies, first_at = self.bodies, self.first_at
        self.bodies, self.first_at = [], 0.0
        lines = sum(count_lines(body) for body in bodies)
        return Received(lines, sum(map(len, bodies)), len(bodies), first_at)


class Connection(asyncio.Protocol):
    """One client: its requests are answered as they end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parser = httptools.HttpRequestParser(self)
        self._parts: list[bytes] = []
        self._url = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url, self._parts = url, []

    def on_body(self, data: bytes) -> None:
        self._parts.append(data)

    def on_message_complete(self) -> None:
        assert self._transport is not None
        if self._parser.get_method() == b"POST":
            self._store.add(b"".join(self._parts))
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        # Loki's pages of limits, which ours asks for: there are none.
        found = self._url == b"/count"
        body = json.dumps(self._store.take()).encode() if found else b""
        status = b"200 OK" if found else b"404 Not Found"
        head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self._transport.write(head + body)


def count_lines(body: bytes) -> int:
    """Return the entries in a push: a snappy block of protobuf (see `loki.encode`)."""
    data = memoryview(bytes(cramjam.snappy.decompress_raw(body)))
    return sum(
        field == 2
        for number, stream in fields(data)
        if number == 1
        for field, _ in fields(stream)
    )


def fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and content of each length-delimited field of a message.

    Raises ValueError for another kind of field: a push has none at these levels but
    Stream.hash, a varint.
    """
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        size, at = _varint(data, at)
        if tag & 7 == 2:
            yield tag >> 3, data[at : at + size]
            at += size
        elif tag & 7:
            raise ValueError(f"expected a varint or bytes, got wire type {tag & 7}")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


async def main(port: int) -> None:
    """Serve until killed."""
    store = Store()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(store), LISTEN, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
