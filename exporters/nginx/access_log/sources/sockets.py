"""Open the sockets that nginx sends datagrams to over the network.

ngx_syslog.c sends each line as one datagram and never waits: what finds no room in the
socket is dropped. So the room is made as large as the kernel allows, and how large it
became is said.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from typing import Final

from exporters.nginx.access_log.sources.listen import Listen
from exporters.toolkit.errors import StartError


log = logging.getLogger(__name__)

# About 5,000 lines of UDP; the kernel counts some 800 bytes for a short one.
WANTED_BYTES: Final = 4 * 1024 * 1024
_LOOKUP_SECONDS: Final = 5.0
# Linux asm-generic/socket.h, linux/sock_diag.h: not in the socket module.
_SO_RCVBUFFORCE: Final = 33
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("=9I")


def drops(sock: socket.socket) -> int | None:
    """Return how many datagrams the kernel dropped for want of room, modulo 2**32.

    As SO_RXQ_OVFL would say with the next datagram, but at any time and for nothing per
    datagram. None where the kernel does not tell (before Linux 4.12).
    """
    try:
        info = sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
    except OSError:
        return None
    if len(info) < _MEMINFO.size:
        return None
    return int(_MEMINFO.unpack(info)[8])


async def open_udp(listen: Listen) -> socket.socket:
    """Return a socket bound to *listen*; raises StartError."""
    family, where = await resolve(listen, socket.SOCK_DGRAM)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            only = bool(listen.host)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        sock.bind(where)
    except OSError as error:
        sock.close()
        raise failed(listen, error) from error
    _make_room(listen, sock)
    sock.setblocking(False)
    return sock


async def resolve(
    listen: Listen, kind: socket.SocketKind
) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    """Return family and address to bind to; without a host all of both families."""
    if not listen.host:
        if socket.has_dualstack_ipv6():
            return socket.AF_INET6, ("::", listen.port)
        return socket.AF_INET, ("0.0.0.0", listen.port)
    try:
        async with asyncio.timeout(_LOOKUP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(
                listen.host, listen.port, type=kind, flags=socket.AI_PASSIVE
            )
    except (OSError, UnicodeError) as error:  # gaierror, TimeoutError, bad IDNA
        raise StartError(f"listen {listen}: lookup {listen.host}: no such host") from (
            error
        )
    # The first, as nginx does with syslog:server=localhost, also where it is ::1.
    return found[0][0], found[0][4]


def failed(listen: Listen, error: OSError) -> StartError:
    """Return what to say of *error*, met when binding to *listen*."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return StartError(f"listen {listen}: bind: {reason}")


def _make_room(listen: Listen, sock: socket.socket) -> None:
    option = socket.SO_RCVBUF
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, WANTED_BYTES)
    except OSError:  # not privileged: no more than net.core.rmem_max
        sock.setsockopt(socket.SOL_SOCKET, option, WANTED_BYTES)
    # The kernel doubles what is asked for, and says the double (socket(7)).
    got = sock.getsockopt(socket.SOL_SOCKET, option) // 2
    fields = {"address": str(listen), "bytes": got}
    if got < WANTED_BYTES:
        fields["more"] = f"sysctl net.core.rmem_max={WANTED_BYTES}"
    log.info("Receive buffer of the access log", extra={"fields": fields})
