"""Where the program of this container listens, for the health check beside it.

An image has one health check, and whoever moves the port, by a flag or in a file, does
not think of it. So a program keeps a memfd open that says where it listens: that takes
no folder that can be written, and nothing is left when it ends. Only `os` and `sys` are
imported, as Docker asks every few seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


# As /proc/PID/fd shows a memfd.
_LINK = "/memfd:{} listens (deleted)"
_ENOUGH_BYTES = 4096


def program() -> str:
    """Return the package that runs, as in ``python -m exporters.node``."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.parent if spec is not None else ""


def tell(addresses: Sequence[str], name: str) -> int:
    """Say that the program *name* listens at *addresses* until the result is closed."""
    fd = os.memfd_create(f"{name} listens")
    os.write(fd, "\n".join(addresses).encode())
    return fd


def find(name: str) -> list[str]:
    """Return where the one program *name* of this container listens.

    Of several, as on a host, none is meant; where nothing can be seen there is none.
    Containers share no mount namespace, whatever else they share.
    """
    told = [text for pid in _beside() for text in _told(pid, _LINK.format(name))]
    return told[0].split("\n") if len(told) == 1 and told[0] else []


def _beside() -> list[str]:
    here = _link("/proc/self/ns/mnt")
    try:
        pids = [name for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []
    return [pid for pid in pids if here and _link(f"/proc/{pid}/ns/mnt") == here]


def _told(pid: str, link: str) -> list[str]:
    folder = f"/proc/{pid}/fd"
    try:
        return [
            _read(f"{folder}/{fd}")
            for fd in os.listdir(folder)
            if _link(f"{folder}/{fd}") == link
        ]
    except OSError:
        return []  # another user's, or gone


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _read(path: str) -> str:
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.pread(fd, _ENOUGH_BYTES, 0).decode()
    finally:
        os.close(fd)
