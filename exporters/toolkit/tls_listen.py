"""Accept TLS connections, each with the settings that the files have at that moment.

asyncio takes one TLS context for a listening socket, and the files may change, so the
connections are accepted here. Upstream counterparts: exporter-toolkit
``tls_config.go``, GetConfigForClient, and the answer of net/http to who speaks HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable

from .client_names import is_allowed
from .errors import StartError
from .listen import format_peer
from .tls_names import VERIFIES
from .webconfig import TLSConfig


log = logging.getLogger(__name__)

Address = tuple[object, ...] | str
# Makes what serves one connection.
Factory = Callable[[], asyncio.BaseProtocol]
Current = Callable[[], Awaitable[tuple[TLSConfig, ssl.SSLContext]]]

_HANDSHAKE_SECONDS = 10.0
_GOODBYE_SECONDS = 1.0
# Who connects and says nothing must make room for the next one after so many.
_MOST_HANDSHAKES = 256
_PAUSE_SECONDS = 1.0
_LOG_SECONDS = 10.0
_HTTP_STARTS = (b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO")
_HTTP_ANSWER = (
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
)


async def serve_tls(listener: socket.socket, server: Factory, tls: Current) -> None:
    """Hand connections to *listener* to *server* after a handshake, until cancelled.

    *tls* returns the settings for the next connection; whatever keeps it from that
    ends this connection and no other.
    """
    await _Acceptor(listener, server, tls).run()


class _Refused(Exception):  # noqa: N818 -- told to the log only
    """The client's certificate has none of the wanted names."""


class _Acceptor:
    def __init__(self, listener: socket.socket, server: Factory, tls: Current) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._server = server
        self._tls = tls
        self._handshakes: dict[asyncio.Task[None], None] = {}  # the oldest first
        self._quiet_until = 0.0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    connection, address = await loop.sock_accept(self._listener)
                except OSError as error:  # no descriptor left, most likely
                    log.warning("accept: %s", error)
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                self._start(connection, address)
                await asyncio.sleep(0)  # a flood of them must not keep all else waiting
        finally:
            for task in self._handshakes:
                task.cancel()
            if self._handshakes:
                await asyncio.wait(self._handshakes)

    def _start(self, connection: socket.socket, address: Address) -> None:
        if len(self._handshakes) >= _MOST_HANDSHAKES:
            next(iter(self._handshakes)).cancel()
        task = asyncio.ensure_future(self._greet(connection, address))
        self._handshakes[task] = None
        task.add_done_callback(self._handshakes.pop)

    async def _greet(self, connection: socket.socket, address: Address) -> None:
        """Make the handshake; what goes wrong is one line of the log."""
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                made = await self._prepare(connection)
                if made is not None:
                    await self._handshake(connection, *made)
        except (OSError, StartError, TimeoutError, _Refused) as error:
            self._complain(error, address)

    async def _prepare(
        self, connection: socket.socket
    ) -> tuple[TLSConfig, ssl.SSLContext] | None:
        """Return the settings for *connection*; answer and close what is not TLS."""
        connection.setblocking(False)
        try:
            start = await _peek(connection)
            if not start.startswith(_HTTP_STARTS):
                return await self._tls()
            await _answer_http(connection)
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

    async def _handshake(
        self, connection: socket.socket, config: TLSConfig, context: ssl.SSLContext
    ) -> None:
        """Hand *connection* over to asyncio, which closes it from here on."""
        loop = asyncio.get_running_loop()
        gate = _Gate(self._server, config)
        await loop.connect_accepted_socket(
            lambda: gate,
            connection,
            ssl=context,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=_GOODBYE_SECONDS,
        )
        if gate.refused:
            raise _Refused("could not find allowed SANs in client cert")

    def _complain(self, error: Exception, address: Address) -> None:
        """Log *error*, but not every knock of a port scanner."""
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _LOG_SECONDS
            text = str(error) or type(error).__name__
            fields = {"remote": format_peer(address), "err": text}
            log.warning("TLS handshake error", extra={"fields": fields})


class _Gate(asyncio.Protocol):
    """Looks at the client's certificate and makes way for HTTP."""

    def __init__(self, server: Factory, config: TLSConfig) -> None:
        self._server = server
        # Who is not asked for a certificate is not asked for names either.
        asked = config.client_auth_type in VERIFIES
        self._allowed = config.client_allowed_sans if asked else None
        self.refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        certificate = transport.get_extra_info("peercert")
        if not is_allowed(certificate, self._allowed):
            self.refused = True
            transport.close()
            return
        protocol = self._server()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


async def _peek(connection: socket.socket) -> bytes:
    """Return the first bytes that came, and leave them there."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return connection.recv(5, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            readable = asyncio.Event()
            loop.add_reader(connection, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(connection)


async def _answer_http(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_recv(connection, 1 << 16)  # unread, it would cut the answer off
    await loop.sock_sendall(connection, _HTTP_ANSWER)
