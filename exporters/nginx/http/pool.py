"""Keep the idle connections of one client from one scrape to the next.

Each client has its own: upstream shares one transport, and with several unix sockets
all targets answer with the last one's numbers.
"""

from __future__ import annotations

import asyncio

from exporters.nginx.http.connection import Connection


# Shorter than nginx's keepalive_timeout (75 s, 65 s in the packaged nginx.conf), so
# that this side closes first, and longer than any usual scrape interval.
KEEPALIVE_SECONDS = 60

# What tells servers apart: scheme, host, port, the name for TLS.
Server = tuple[str, str, int, str | None]


class Pool:
    """Connections that nobody uses, by server; the last one put is the first taken.

    None is kept longer than KEEPALIVE_SECONDS. `close` ends them, and what is put
    from then on.
    """

    def __init__(self) -> None:
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
        if self._closed:
            connection.close()
        if not connection.usable:
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.setdefault(server, []).append(connection)
        if self._timer is None:
            self._timer = loop.call_later(KEEPALIVE_SECONDS, self._clean)

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
        loop = asyncio.get_running_loop()
        oldest = loop.time() - KEEPALIVE_SECONDS
        for server, idle in list(self._idle.items()):
            for connection in idle:
                if connection.idle_since <= oldest:
                    connection.close()
            kept = [connection for connection in idle if connection.usable]
            if kept:
                self._idle[server] = kept
            else:
                del self._idle[server]
        self._timer = None
        if self._idle:
            first = min(
                each.idle_since for idle in self._idle.values() for each in idle
            )
            self._timer = loop.call_at(first + KEEPALIVE_SECONDS, self._clean)
