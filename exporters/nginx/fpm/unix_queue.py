"""Count the connections that wait at listening unix sockets, as the kernel does.

php-fpm knows the queue of a TCP socket only (TCP_INFO in ``fpm_sockets.c``) and says 0
for a unix socket, however many wait there (hipages/php-fpm_exporter #138). The kernel
needs no free child to tell.
Source: sock_diag(7), Linux ``include/uapi/linux/unix_diag.h`` and ``netlink.h``.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple


_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ERROR, _DONE, _BY_FAMILY = 2, 3, 20
_DUMP_REQUEST = 0x301

_QUESTION = struct.Struct("=BBHIIIQ")  # family, -, -, states, inode, what, cookie
_LISTENING = 1 << 10
_SHOW_FILE_AND_QUEUE = 0x02 | 0x10
_SOCKET_BYTES = 16  # struct unix_diag_msg, before the attributes

_ATTRIBUTE = struct.Struct("=HH")  # length, type
_PAIR = struct.Struct("=II")
_FILE, _QUEUE = 1, 4

_NETLINK_SOCK_DIAG = 4
_READ_BYTES = 64 * 1024

# A socket file: the device as the kernel numbers it, and the inode.
Key = tuple[int, int]


class Queue(NamedTuple):
    """How many connections wait at a socket, and how many may."""

    waiting: int
    room: int


def file_key(path: str) -> Key | None:
    """Return what tells the socket file *path* from others, None if there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    device = os.major(found.st_dev) << 20 | os.minor(found.st_dev)
    return device, found.st_ino & 0xFFFF_FFFF


def listen_queues() -> dict[Key, Queue]:
    """Return the queue of each unix socket that listens in this network namespace.

    Empty where the kernel does not tell. Does not wait: it answers at once or never.
    """
    queues: dict[Key, Queue] = {}
    if not hasattr(socket, "AF_NETLINK"):
        return queues
    try:
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG
        ) as sock:
            sock.setblocking(False)
            sock.sendto(_question(), (0, 0))
            while not parse_dump(sock.recv(_READ_BYTES), queues):
                pass
    except OSError:
        return {}
    return queues


def _question() -> bytes:
    body = _QUESTION.pack(socket.AF_UNIX, 0, 0, _LISTENING, 0, _SHOW_FILE_AND_QUEUE, 0)
    size = _HEADER.size + len(body)
    return _HEADER.pack(size, _BY_FAMILY, _DUMP_REQUEST, 1, 0) + body


def parse_dump(data: bytes, queues: dict[Key, Queue]) -> bool:
    """Add the sockets that *data* tells of to *queues*; return whether it is the last.

    Raises OSError, and nothing else, where the kernel refuses.
    """
    while len(data) >= _HEADER.size:
        size, kind, *_ = _HEADER.unpack_from(data)
        if kind == _ERROR:
            raise OSError("sock_diag refused")
        if kind == _DONE or size < _HEADER.size:
            return True
        parts = dict(_attributes(data[_HEADER.size + _SOCKET_BYTES : size]))
        if {_FILE, _QUEUE} <= parts.keys():
            inode, device = parts[_FILE]
            queues[device, inode] = Queue(*parts[_QUEUE])
        data = data[_aligned(size) :]
    return False


def _attributes(data: bytes) -> Iterator[tuple[int, tuple[int, int]]]:
    while len(data) >= _ATTRIBUTE.size:
        size, kind = _ATTRIBUTE.unpack_from(data)
        if size < _ATTRIBUTE.size:
            return
        if size == _ATTRIBUTE.size + _PAIR.size and len(data) >= size:
            first, second = _PAIR.unpack_from(data, _ATTRIBUTE.size)
            yield kind, (first, second)
        data = data[_aligned(size) :]


def _aligned(size: int) -> int:
    return (size + 3) & ~3
