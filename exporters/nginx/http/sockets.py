"""Connect sockets that never block: to an address, to a path."""

from __future__ import annotations

import asyncio
import socket

from exporters.nginx.http.resolver import Found


async def connect_to(found: Found) -> socket.socket:
    """Return a socket that is connected to *found*; raises OSError."""
    sock = socket.socket(found.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, found.socket_address)
    except BaseException:
        sock.close()
        raise
    return sock


def connect_unix(path: str) -> socket.socket:
    """Return a socket that is connected to *path*; raises OSError."""
    # Never waits, so it needs no loop: asyncio would take "try again" (the listen
    # queue is full) for a connection under way, and the socket for connected.
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock
