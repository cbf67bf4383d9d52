"""Keep idle connections for the next request to the same server."""

from __future__ import annotations

import asyncio
from typing import Final

from .connection import Connection
from .connector import Way


KEPT_SECONDS: Final = 15.0
"""Shorter than servers keep theirs, so that this side closes first."""

MAX_IDLE: Final = 100
"""For each server: every stream has its own pushes, and may need one for a moment."""

Server = tuple[str, str, int, Way]
"""What tells servers apart: scheme, host, port, and how they are reached."""


class Pool:
    """Connections that nobody uses, by server; the last one put is the first taken.

    None is kept longer than KEPT_SECONDS. `close` ends them, and what is put from
    then on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._idle: dict[Server, list[Connection]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def take(self, server: Server) -> Connection | None:
        """Return a connection to *server* that seems to be there, None without any."""
        idle = self._idle.get(server)
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    def put(self, server: Server, connection: Connection) -> None:
        """Keep *connection* to *server*, which has no question under way."""
        idle = self._idle.setdefault(server, [])
        if self._closed or len(idle) >= MAX_IDLE:
            connection.close()
        if connection.usable:
            connection.idle_since = self._loop.time()
            idle.append(connection)
        if not idle:
            del self._idle[server]
        elif self._timer is None:
            self._timer = self._loop.call_later(KEPT_SECONDS, self._clean)

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()

    def _clean(self) -> None:
        """Close who was idle for too long; come again when the next one will be."""
        oldest = self._loop.time() - KEPT_SECONDS
        for idle in self._idle.values():
            for connection in idle:
                if connection.idle_since <= oldest:
                    connection.close()
            idle[:] = [connection for connection in idle if connection.usable]
        self._idle = {server: idle for server, idle in self._idle.items() if idle}
        self._timer = None
        if self._idle:
            first = min(idle[0].idle_since for idle in self._idle.values())
            self._timer = self._loop.call_at(first + KEPT_SECONDS, self._clean)
