"""Take the sockets that systemd opened (``--web.systemd-socket``).

Upstream counterpart: coreos/go-systemd ``activation``; sd_listen_fds(3).
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

from .errors import StartError


_FIRST = 3
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def inherited_sockets(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """Return the listening sockets that *environ* announces, and forget them there.

    Raises:
        StartError: there is none, or one is no listening stream socket.
    """
    count = _count(environ)
    for name in _VARIABLES:
        environ.pop(name, None)
    if not count:
        raise StartError("no socket activation file descriptors found")
    return [_listener(number) for number in range(_FIRST, _FIRST + count)]


def _count(environ: MutableMapping[str, str]) -> int:
    pid, count = environ.get("LISTEN_PID", ""), environ.get("LISTEN_FDS", "")
    if not count.isdecimal() or pid != str(os.getpid()):
        return 0  # not for this process, but for one that started it
    return int(count)


def _listener(number: int) -> socket.socket:
    try:
        os.set_inheritable(number, False)
        sock = socket.socket(fileno=number)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise StartError(
            f"systemd socket {number}: expected a socket: {reason}"
        ) from error
    listens = sock.type == socket.SOCK_STREAM and sock.getsockopt(
        socket.SOL_SOCKET, socket.SO_ACCEPTCONN
    )
    if not listens:
        raise StartError(f"systemd socket {number}: expected a listening stream socket")
    sock.setblocking(False)
    return sock
