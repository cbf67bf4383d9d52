"""Open listening sockets for addresses written as Go writes them.

``:9100`` listens on every interface, IPv4 and IPv6, through one socket,
``vsock://:9100`` for the host of a virtual machine, ``unix:/path`` on a unix socket.
Upstream counterpart: ``net.Listen("tcp", address)``, whose error texts are kept.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable
from typing import Any

from . import unix_socket, vsock
from .errors import StartError


_BACKLOG = 128
_LOOKUP_SECONDS = 5.0
# To Go either is the whole entry, IPv4 and IPv6 (net, favoriteAddrFamily).
_EVERYWHERE = frozenset({"0.0.0.0", "::"})


def split_address(address: str) -> tuple[str, int]:
    """Return host (without brackets) and port of *address*.

    Raises:
        StartError: with the text of Go's ``net.SplitHostPort`` or port lookup.
    """
    host, colon, port = address.rpartition(":")
    if not colon or port.endswith("]"):
        raise _refused(f"address {address}: missing port in address")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise _refused(f"address {address}: too many colons in address")
    if not port.isascii() or not port.isdecimal():
        if not port:
            return host, 0
        raise _refused(f"lookup tcp/{port}: unknown port")
    if int(port) > 65535:
        raise _refused(f"address {port}: invalid port")
    return host, int(port)


def _refused(reason: str) -> StartError:
    return StartError(f"listen tcp: {reason}")


def format_address(sock: socket.socket) -> str:
    """Return where *sock* listens as Go prints it: ``[::]:9100``, a path."""
    return format_peer(sock.getsockname())


def format_peer(address: Any) -> str:
    """Return the *address* of a socket as Go prints it."""
    if isinstance(address, str | bytes):
        return os.fsdecode(address)
    host, port = address[:2]
    if isinstance(host, int):
        return vsock.format_address(host, port)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def open_listener(address: str) -> socket.socket:
    """Return a listening socket for *address*; the caller closes it.

    Raises:
        StartError: ``listen tcp :9100: bind: address already in use`` and the like.
    """
    if address.startswith(vsock.SCHEME):
        return vsock.listen(address)
    if address.startswith(unix_socket.SCHEME):
        return unix_socket.listen(address)
    host, port = split_address(address)
    if not host:
        return _listen(address, socket.AF_UNSPEC, ("", port))
    try:
        async with asyncio.timeout(_LOOKUP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(
                _name(host), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
    except (OSError, UnicodeError) as error:  # gaierror, TimeoutError, bad IDNA
        raise _refused(f"lookup {host}: no such host") from error
    family, where = preferred(found)
    if where[0] in _EVERYWHERE:
        return _listen(address, socket.AF_UNSPEC, ("", port))
    return _listen(address, family, where)


def _name(host: str) -> bytes | str:
    """Return *host* so that no codec for other alphabets is loaded: 1.5 MiB."""
    return host.encode() if host.isascii() else host


def preferred(
    found: Iterable[tuple[int, int, int, str, tuple[Any, ...]]],
) -> tuple[int, tuple[Any, ...]]:
    """Return family and address to listen on, of what getaddrinfo(3) *found*.

    As Go: the first of IPv4, else the first (net, ``addrList.first(isIPv4)``). It is
    where others look for localhost.
    """
    family, _, _, _, where = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, where


def _listen(
    address: str,
    family: int,
    where: tuple[object, ...],
) -> socket.socket:
    every_interface = family == socket.AF_UNSPEC
    dual = every_interface and socket.has_dualstack_ipv6()
    if every_interface:
        family = socket.AF_INET6 if dual else socket.AF_INET
    try:
        return socket.create_server(
            where, family=family, backlog=_BACKLOG, dualstack_ipv6=dual
        )
    except OSError as error:
        # create_server adds its own words to strerror; the number is what counts.
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise StartError(f"listen tcp {address}: bind: {reason}") from error
