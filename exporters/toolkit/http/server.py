"""The connections of one server: how many, how long, and how they end.

Upstream counterpart: net/http ``server.go``, Server and Shutdown. It has no bounds:
these are for those who connect and say nothing, or never read.
"""

from __future__ import annotations

import asyncio
import sys

from .connection import Connection, Handler
from .patience import Patience


# A connection waits so long for its next request: Prometheus scrapes at least once a
# minute over the same one.
_IDLE_SECONDS = 120.0
# A request, once begun, is complete by then.
_REQUEST_SECONDS = 30.0
# An answer is read by then: who is slower has given up long ago.
_READ_SECONDS = 60.0
_MOST_UNREAD = 64
# What a client that was told to go gets to hear it, and the answer to one that sends no
# more to come about, where it is to be cancelled if that one is gone.
_LINGER_SECONDS = 0.5
# Twice this is what requests get that are being served at a stop.
_STOP_SECONDS = 1.5
_MOST_CONNECTIONS = 1024
_BUFFER_BYTES = 16 * 1024


class Server:
    """Makes a `Connection` for each client: the factory that asyncio wants.

    With *cancel_when_client_leaves*, *answer* is cancelled when its client is gone.
    """

    def __init__(
        self, answer: Handler, *, cancel_when_client_leaves: bool = False
    ) -> None:
        self.answer = answer
        # Asked for at each request, Python 3.11 would ask the kernel who it is.
        self.loop = asyncio.get_running_loop()
        # Of a bytes object of 256 KiB, which asyncio makes for each read otherwise, the
        # kernel's part alone is 26 us: the memory is mapped and taken back each time.
        self.buffer = memoryview(bytearray(_BUFFER_BYTES))
        self.cancels = cancel_when_client_leaves
        self.closing = False
        self.idle = Patience[Connection](_IDLE_SECONDS, Connection.abort)
        self.reading = Patience[Connection](_REQUEST_SECONDS, Connection.abort)
        self.draining = Patience[Connection](
            _READ_SECONDS, Connection.abort, _MOST_UNREAD
        )
        self.lingering = Patience[Connection](_LINGER_SECONDS, Connection.abort)
        self._open: set[Connection] = set()
        self._most = _most_connections()
        self._gone = asyncio.Event()

    def __call__(self) -> Connection:
        """Return what serves the next client."""
        return Connection(self)

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._open)

    def joined(self, connection: Connection) -> None:
        """Count *connection*; of too many, one that only waits goes."""
        self._open.add(connection)
        if self.closing:
            connection.abort()
        elif len(self._open) > self._most:
            waits = (self.lingering, self.reading, self.idle)
            if not any(wait.expire_first() for wait in waits):
                connection.abort()

    def left(self, connection: Connection) -> None:
        """Forget *connection*."""
        self._open.discard(connection)
        if not self._open:
            self._gone.set()

    async def close(self) -> None:
        """End all connections, those that are being served last.

        They get 1.5 s, and when they are cancelled 1.5 s to come to an end.
        """
        self.closing = True
        for end in (Connection.finish, Connection.abort):
            for connection in tuple(self._open):
                end(connection)
            await self._all_gone()
        for wait in (self.idle, self.reading, self.draining, self.lingering):
            wait.close()

    async def _all_gone(self) -> None:
        if not self._open:
            return
        self._gone.clear()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._gone.wait()
        except TimeoutError:
            return


def _most_connections() -> int:
    """Return the bound: half of the descriptors, as collectors need some, too."""
    if sys.platform == "win32":
        return _MOST_CONNECTIONS
    import resource  # noqa: PLC0415 -- not everywhere

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(1, min(_MOST_CONNECTIONS, soft // 2))
