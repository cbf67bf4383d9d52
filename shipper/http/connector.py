"""Open connections: over TCP, with TLS, through a proxy."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from .connection import Connection
from .faults import HttpError, ProxyRefusalError, UnreachableError
from .fields import Fields, Pair
from .reply import Expected
from .resolver import Found, Resolver
from .url import Url


if TYPE_CHECKING:
    import ssl

NEXT_ADDRESS_SECONDS: Final = 0.25
"""RFC 8305 §8: how long an address may take before the next one is tried beside it."""


class Way(NamedTuple):
    """How a server is reached.

    *tls* is for every https on the way, *server_name* what the server's certificate is
    for if not its host. Through *proxy* a tunnel is opened for https; plain text needs
    none. *proxy_headers* go with what the proxy itself is asked.
    """

    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    proxy: Url | None = None
    proxy_headers: tuple[Pair, ...] = ()

    def is_forwarded(self, url: Url) -> bool:
        """Return whether the proxy itself asks for *url*."""
        return self.proxy is not None and url.scheme == "http"


async def connect(url: Url, way: Way, resolver: Resolver) -> Connection:
    """Return a connection over which *url* can be asked for.

    Raises UnreachableError, ProxyRefusalError. The caller keeps the time.
    """
    if way.proxy is None:
        return await _reach(url, way, way.server_name, resolver)
    try:
        connection = await _reach(way.proxy, way, None, resolver)
    except UnreachableError as error:
        raise UnreachableError(error.error, proxy=True) from error
    if way.is_forwarded(url):
        return connection
    try:
        return await _through(connection, url, way)
    except BaseException:
        connection.close()
        raise


async def _reach(
    url: Url, way: Way, server_name: str | None, resolver: Resolver
) -> Connection:
    loop = asyncio.get_running_loop()
    try:
        sock = await _connect_tcp(await resolver.resolve(url.host, url.port))
        try:
            tls = way.tls if url.scheme == "https" else None
            _, connection = await loop.create_connection(
                lambda: Connection(loop),
                sock=sock,
                ssl=tls,
                server_hostname=(server_name or url.name) if tls else None,
            )
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        raise UnreachableError(error) from error
    return connection


async def _through(connection: Connection, url: Url, way: Way) -> Connection:
    """Return a connection with TLS through a tunnel, opened over *connection*."""
    head = request_head("CONNECT", url.place, url.place, Fields(way.proxy_headers))
    try:
        answer = await connection.ask(head, b"", Expected(0, tunnel=True))
    except HttpError as error:
        raise HttpError(f"proxy: {error}") from error
    if answer.status != 200:
        raise ProxyRefusalError(answer.status, answer.words)
    plain = connection.leave()
    if plain is None:
        raise HttpError("proxy: no tunnel behind its answer")
    return await _secured(plain, url, way)


async def _secured(plain: asyncio.Transport, url: Url, way: Way) -> Connection:
    loop = asyncio.get_running_loop()
    assert way.tls is not None, "https needs a context"
    name = way.server_name or url.name
    within = Connection(loop)
    try:
        transport = await loop.start_tls(plain, within, way.tls, server_hostname=name)
    except OSError as error:
        plain.abort()
        raise UnreachableError(error) from error
    except BaseException:
        plain.abort()
        raise
    assert transport is not None
    within.connection_made(transport)  # start_tls leaves that to its caller
    return within


async def reach(url: Url, resolver: Resolver) -> None:
    """Open a connection to the server of *url* and close it.

    Raises UnreachableError. The caller keeps the time.
    """
    try:
        sock = await _connect_tcp(await resolver.resolve(url.host, url.port))
    except OSError as error:
        raise UnreachableError(error) from error
    sock.close()


def request_head(method: str, target: str, host: str, headers: Fields) -> bytes:
    """Return the head of a request, all but the line that ends it included."""
    lines = [f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in headers.items()]
    return f"{''.join(lines)}\r\n".encode("utf-8", "surrogateescape")


async def _connect_tcp(found: Sequence[Found]) -> socket.socket:
    if len(found) == 1:
        return await _connect_to(found[0])
    # Only now: most servers have one address.
    from aiohappyeyeballs import start_connection  # noqa: PLC0415

    infos = [
        (each.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", each.address)
        for each in found
    ]
    return await start_connection(infos, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS)


async def _connect_to(found: Found) -> socket.socket:
    sock = socket.socket(found.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, found.address)
    except BaseException:
        sock.close()
        raise
    return sock
