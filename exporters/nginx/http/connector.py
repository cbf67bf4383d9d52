"""Open connections to an nginx: over TCP, a unix socket, with TLS, with PROXY."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.connection import Connection
from exporters.nginx.http.descriptors import Descriptors
from exporters.nginx.http.faults import unreachable
from exporters.nginx.http.headers import NO_HEADERS, Headers
from exporters.nginx.http.resolver import Found, Lookup
from exporters.nginx.http.sockets import connect_to, connect_unix
from exporters.nginx.http.tls import any_certificate
from exporters.nginx.http.url import is_address


if TYPE_CHECKING:
    import ssl

    from exporters.nginx.http.redirects import Request

# RFC 8305 §8: how long an address may take before the next one is tried beside it.
NEXT_ADDRESS_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Network:
    """What all clients share.

    *resolver* looks hosts up, *tls* is for https, None for any certificate, *headers*
    go with each request, and *descriptors* keeps file descriptors free for who scrapes.
    """

    resolver: Lookup
    tls: ssl.SSLContext | None
    user_agent: str
    headers: Headers = NO_HEADERS
    proxy_protocol: bool = False
    follow_redirects: bool = True
    descriptors: Descriptors = field(default_factory=Descriptors)


async def connect(
    request: Request, unix_socket: str | None, network: Network
) -> Connection:
    """Return a connection to the server of *request*, or to *unix_socket* if given.

    A PROXY header, if wanted, is what goes over it first, in front of TLS. Raises
    ScrapeError, which says where to and why not. The caller keeps the time.
    """
    url = request.url
    if unix_socket is None:
        where = f"{url.host}:{url.port}"
    else:
        where = f"unix socket {unix_socket}"
    try:
        if unix_socket is None:
            sock = await _connect_tcp(url.host, url.port, network.resolver)
        else:
            sock = connect_unix(unix_socket)
        try:
            return await _over(sock, request, network)
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        raise unreachable(where, error) from error


async def _over(sock: socket.socket, request: Request, network: Network) -> Connection:
    loop = asyncio.get_running_loop()
    if network.proxy_protocol:
        # Imported by the few who want it: the module ipaddress is 1 MiB.
        from exporters.nginx.http.proxy_protocol import header_of  # noqa: PLC0415

        await loop.sock_sendall(sock, header_of(sock))
    secure = request.url.scheme == "https"
    tls = network.tls or any_certificate() if secure else None
    name = request.server_name or request.url.name
    _, connection = await loop.create_connection(
        lambda: Connection(loop),
        sock=sock,
        ssl=tls,
        server_hostname=name if tls else None,
    )
    return connection


async def _connect_tcp(host: str, port: int, resolver: Lookup) -> socket.socket:
    if host.replace(".", "").isdecimal() and not is_address(host):
        # inet_aton(3) would take 127.1 for an address, and net/http for a name.
        raise ScrapeError(
            "not a URL that can be asked for, expected http://host[:port]/path"
        )
    found = await resolver.resolve(host, port)
    if not found:
        raise socket.gaierror(socket.EAI_NODATA, "No address associated with hostname")
    if len(found) == 1:
        return await connect_to(found[0])
    return await _connect_to_one_of(found)


async def _connect_to_one_of(found: Sequence[Found]) -> socket.socket:
    # Only now: most nginx have one address.
    from aiohappyeyeballs import start_connection  # noqa: PLC0415

    infos = [
        (each.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", each.socket_address)
        for each in found
    ]
    return await start_connection(infos, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS)
