"""Receive syslog over TCP, from a relay: nginx itself sends datagrams only."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from exporters.nginx.access_log.sources.frames import Frames
from exporters.nginx.access_log.sources.listen import Listen
from exporters.nginx.access_log.sources.sockets import failed, resolve


log = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 64
# What is counted in one turn of the event loop: some 300 lines, some 3 ms.
_READ_BYTES: Final = 65536
_LAST_SECONDS: Final = 1.0


class Streams:
    """The connections to one address; each message goes to *take*."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take the messages of one connection until it ends."""
        task = asyncio.current_task()
        assert task is not None  # a coroutine runs in a task
        try:
            if len(self._tasks) >= MAX_CONNECTIONS:
                log.warning("More than %d syslog connections, closed", MAX_CONNECTIONS)
                return
            self._tasks.add(task)
            await self._read(reader)
        except (ConnectionError, asyncio.CancelledError):
            pass  # it ends either way, and close() waits for nothing else
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        frames = Frames()
        while data := await reader.read(_READ_BYTES):
            for frame in frames.feed(data):
                self._take(frame)
            await asyncio.sleep(0)  # a reader with data at hand does not wait
        for frame in frames.finish():
            self._take(frame)

    async def close(self) -> None:
        """End every connection."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_SECONDS)


@asynccontextmanager
async def open_tcp(
    listen: Listen, take: Callable[[bytes], None]
) -> AsyncIterator[socket.socket]:
    """Give *take* each message that comes to *listen*; raises StartError."""
    family, where = await resolve(listen, socket.SOCK_STREAM)
    try:
        sock = socket.create_server(
            where,
            family=family,
            dualstack_ipv6=family == socket.AF_INET6 and not listen.host,
        )
    except OSError as error:
        raise failed(listen, error) from error
    streams = Streams(take)
    server = await asyncio.start_server(streams.serve, sock=sock)
    try:
        yield sock
    finally:
        server.close()
        await streams.close()
