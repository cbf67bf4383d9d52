"""Syslog over TCP, with or without TLS: one task per connection.

While the sink has no room nothing is read, so the sender waits. A connection on which
nothing comes for the idle timeout is closed. At a stop nothing more is read, and what
was received is handed over.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import suppress
from typing import Final

from shipper.config.syslog import SyslogConfig
from shipper.syslog.addresses import ip_of
from shipper.syslog.hostnames import Hostnames
from shipper.syslog.intake import Intake, Peer
from shipper.syslog.meters import Meters
from shipper.syslog.splitter import Splitter


log = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 1000
_READ_BYTES: Final = 64 * 1024
_HANDSHAKE_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 1.0
CONTINUATION_SECONDS: Final = 0.5
"""How long a message is kept because the next line may continue it."""


class TcpServer:
    """Serves the connections of one listener."""

    def __init__(
        self,
        config: SyslogConfig,
        tls: ssl.SSLContext | None,
        intake: Intake,
        meters: Meters,
        hostnames: Hostnames,
    ) -> None:
        self._config = config
        self._tls = tls
        self._intake = intake
        self._meters = meters
        self._hostnames = hostnames
        self._open: set[_Connection] = set()
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return len(self._open)

    async def serve(self, sock: socket.socket, stop: asyncio.Event) -> None:
        """Accept on *sock* until *stop*; return when all that came is handed over."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            server = await asyncio.start_server(
                self._accept,
                sock=sock,
                limit=_READ_BYTES,
                ssl=self._tls,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS if self._tls else None,
            )
            try:
                await stop.wait()
            finally:
                server.close()
                self._tasks = None  # who was being accepted comes too late
            for connection in self._open:
                connection.stop()

    def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._tasks is None or len(self._open) >= MAX_CONNECTIONS:
            self._meters.refused(1)
            writer.transport.abort()
            return
        connection = _Connection(reader, writer, self._config)
        self._open.add(connection)
        self._tasks.create_task(self._serve(connection), name="syslog connection")

    async def _serve(self, connection: _Connection) -> None:
        try:
            hostname = await self._hostnames.of(connection.ip)
            await connection.run(self._intake, Peer(connection.ip, hostname))
        except Exception:
            # One connection must not end the others.
            log.exception("syslog connection from %s failed", connection.ip)
        finally:
            self._open.discard(connection)
            await connection.close()


class _Connection:
    """Reads one connection to its end."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        config: SyslogConfig,
    ) -> None:
        self.ip = ip_of(writer.get_extra_info("peername"))
        self._reader = reader
        self._writer = writer
        self._idle_seconds = config.idle_seconds
        self._splitter = Splitter(config.message_bytes)
        self._stopping = False
        self._waiting: asyncio.Timeout | None = None

    def stop(self) -> None:
        """Read only what is here already."""
        self._stopping = True
        if self._waiting is not None:
            self._waiting.reschedule(0)

    async def run(self, intake: Intake, peer: Peer) -> None:
        """Hand over all messages, until the end, the idle timeout or a stop."""
        splitter = self._splitter
        idle_since = asyncio.get_running_loop().time()
        while True:
            patience = self._patience(idle_since)
            data = await self._read(patience)
            if data:
                await intake.take(splitter.feed(data), peer)
                idle_since = asyncio.get_running_loop().time()
            elif data is None and splitter.is_open and not self._stopping:
                await intake.take(splitter.flush(), peer)
            else:
                break
        await intake.take(splitter.finish(), peer)

    async def close(self) -> None:
        """Close the connection, waiting only a little for the other side."""
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._writer.wait_closed()

    def _patience(self, idle_since: float) -> float:
        if self._stopping:
            return 0.0
        if self._splitter.is_open:
            return CONTINUATION_SECONDS
        passed = asyncio.get_running_loop().time() - idle_since
        return max(0.0, self._idle_seconds - passed)

    async def _read(self, patience: float) -> bytes | None:
        """Return bytes, none at the end of the stream, None when nothing comes."""
        try:
            async with asyncio.timeout(patience) as self._waiting:
                return await self._reader.read(_READ_BYTES)
        except TimeoutError:
            return None
        except OSError as error:  # reset, or broken TLS
            log.debug("syslog connection from %s: %s", self.ip, error)
            return b""
        finally:
            self._waiting = None
