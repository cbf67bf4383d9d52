"""Open connections to one nginx: over TCP, a unix socket, with TLS, with PROXY."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from aiohappyeyeballs import start_connection
from aiohttp.abc import AbstractResolver
from aiohttp.client_exceptions import UnixClientConnectorError
from aiohttp.client_proto import ResponseHandler

from exporters.nginx.http import proxy_protocol
from exporters.nginx.http.descriptors import Descriptors
from exporters.nginx.http.headers import NO_HEADERS, Headers
from exporters.nginx.targets import Target


if TYPE_CHECKING:
    from aiohttp.client import ClientTimeout
    from aiohttp.client_reqrep import ClientRequest, ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

# Shorter than nginx's keepalive_timeout (75 s, 65 s in the packaged nginx.conf), so
# that this side closes first, and longer than any usual scrape interval.
KEEPALIVE_SECONDS = 60

# RFC 8305 §8: how long an address may take before the next one is tried beside it.
NEXT_ADDRESS_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Network:
    """What all clients share.

    *resolver* looks names up, *headers* go with each request, and *descriptors* keeps
    file descriptors free for who scrapes.
    """

    resolver: AbstractResolver
    tls: ssl.SSLContext
    user_agent: str
    headers: Headers = NO_HEADERS
    proxy_protocol: bool = False
    follow_redirects: bool = True
    descriptors: Descriptors = field(default_factory=Descriptors)


def connector(target: Target, network: Network, *, keep: bool) -> aiohttp.BaseConnector:
    """Return a connector for *target* alone, which may *keep* its connections.

    Each target has its own: upstream shares one transport, and with several unix
    sockets all targets answer with the last one's numbers.
    """
    if network.proxy_protocol:
        return ProxyProtocolConnector(target, network, keep=keep)
    seconds = KEEPALIVE_SECONDS if keep else None
    # limit=0: Descriptors.slots bounds them, all targets' together.
    if target.socket is not None:
        return UnixConnector(
            target.socket, limit=0, keepalive_timeout=seconds, force_close=not keep
        )
    return TCPConnector(
        limit=0,
        keepalive_timeout=seconds,
        force_close=not keep,
        resolver=network.resolver,
        use_dns_cache=False,
        ssl=network.tls,
        happy_eyeballs_delay=NEXT_ADDRESS_SECONDS,
    )


class QuietConnector(aiohttp.BaseConnector):
    """Keep no connection over which something came that was not asked for.

    aiohttp would take it for the answer to the next request, and the answer for that
    to the one after. HAProxy says 408 before it closes an idle connection; net/http
    closes such a one (transport.go, readLoopPeekFailLocked).
    """

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        while (connection := await super()._get(key, traces)) is not None:
            protocol = connection.protocol
            if protocol is not None and not protocol.should_close:
                break
            connection.close()
        return connection


class TCPConnector(QuietConnector, aiohttp.TCPConnector):
    """Connect over TCP."""


class UnixConnector(QuietConnector, aiohttp.UnixConnector):
    """Connect over a unix socket."""


class ProxyProtocolConnector(QuietConnector):
    """Write a PROXY header on each new connection, in front of TLS and HTTP.

    aiohttp has no hook between connecting and TLS, so this connects by itself, in the
    one method that the documentation of BaseConnector leaves to who derives from it.
    """

    def __init__(self, target: Target, network: Network, *, keep: bool) -> None:
        super().__init__(
            limit=0,
            keepalive_timeout=KEEPALIVE_SECONDS if keep else None,
            force_close=not keep,
        )
        self._target = target
        self._network = network

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: list[Trace],  # noqa: ARG002 -- aiohttp's signature
        timeout: ClientTimeout,  # noqa: ARG002, ASYNC109 -- likewise; the caller's
    ) -> ResponseHandler:
        try:
            sock = await self._connected(req)
            try:
                return await self._protocol(sock, req)
            except BaseException:
                sock.close()
                raise
        except ssl.SSLCertVerificationError as error:
            raise aiohttp.ClientConnectorCertificateError(
                req.connection_key, error
            ) from error
        except OSError as error:
            raise self._failed(req, error) from error

    def _failed(
        self, req: ClientRequest, error: OSError
    ) -> aiohttp.ClientConnectorError:
        key, path = req.connection_key, self._target.socket
        if path is not None:
            return UnixClientConnectorError(path, key, error)
        if isinstance(error, socket.gaierror):
            return aiohttp.ClientConnectorDNSError(key, error)
        return aiohttp.ClientConnectorError(key, error)

    async def _connected(self, req: ClientRequest) -> socket.socket:
        if self._target.socket is not None:
            return await _connect_unix(self._target.socket)
        host, port = req.url.raw_host, req.url.port
        assert host is not None  # an http URL without a host is refused before
        assert port is not None
        found = await self._network.resolver.resolve(host, port, socket.AF_UNSPEC)
        infos = [
            (
                socket.AF_INET6 if ":" in each["host"] else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (each["host"], port),
            )
            for each in found
        ]
        return await start_connection(infos, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS)

    async def _protocol(
        self, sock: socket.socket, req: ClientRequest
    ) -> ResponseHandler:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(sock, proxy_protocol.header_of(sock))
        tls = self._network.tls if req.is_ssl() else None
        name = req.server_hostname or req.url.raw_host if tls else None
        _, protocol = await loop.create_connection(
            lambda: ResponseHandler(loop), sock=sock, ssl=tls, server_hostname=name
        )
        return protocol


async def _connect_unix(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, path)
    except BaseException:
        sock.close()
        raise
    return sock
