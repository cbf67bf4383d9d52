"""The socket file that nginx sends datagrams to: made, kept, and removed again.

nginx looks for it when it has a line to send and its connection is lost (ngx_syslog.c,
ngx_syslog_init_peer): it may come later, go, and come again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
from pathlib import Path
from typing import Final

from exporters.nginx.access_log.sources.listen import Listen
from exporters.nginx.access_log.sources.sockets import failed
from exporters.toolkit.errors import StartError


log = logging.getLogger(__name__)

# With fewer, a scrape is long enough for nginx to drop lines (measured: 10 holds 11
# lines, 512 holds 278 of each worker, which is what its SO_SNDBUF has room for).
WANTED_MESSAGES: Final = 512
_QUEUE: Final = Path("/proc/sys/net/unix/max_dgram_qlen")


class UnixSocket:
    """The datagram socket at the path of *listen*, with the permissions *mode*."""

    def __init__(self, listen: Listen, mode: int) -> None:
        self._listen = listen
        self._path = listen.path
        self._mode = mode
        self._made: tuple[int, int] | None = None

    def open(self) -> socket.socket:
        """Return a new socket, which the caller closes.

        A file that nobody listens at any more is replaced. Raises StartError.
        """
        self._remove_stale()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            sock.bind(self._path)
            os.chmod(self._path, self._mode)
            self._made = _identity(self._path)
        except OSError as error:
            sock.close()
            raise StartError(
                f"{failed(self._listen, error)}{_whose(error, self._path)}"
            ) from error
        sock.setblocking(False)
        return sock

    def is_lost(self) -> bool:
        """Say whether the file is gone, so that nginx finds nothing."""
        return not os.path.lexists(self._path)

    def remove(self) -> None:
        """Remove the file, unless another program has put its own there."""
        with contextlib.suppress(OSError):
            if _identity(self._path) == self._made:
                os.unlink(self._path)

    def look_at_queue(self) -> None:
        """Say when the queue is short; its length is the kernel's, at the time of open.

        It belongs to the network namespace: in a container it is 10 again.
        """
        try:
            messages = int(_QUEUE.read_text())
        except (OSError, ValueError):
            return
        if messages < WANTED_MESSAGES:
            log.warning(
                "nginx drops lines when more of them wait than the socket holds",
                extra={
                    "fields": {
                        "address": str(self._listen),
                        "messages": messages,
                        "more": f"sysctl net.unix.max_dgram_qlen={WANTED_MESSAGES}",
                    }
                },
            )

    def _remove_stale(self) -> None:
        folder = os.path.dirname(self._path) or "."
        if not os.path.isdir(folder):
            raise self._refused(
                f"expected the folder {folder}, which nginx sees, too: there is none"
            )
        try:
            self._check_left_behind()
            os.unlink(self._path)
        except FileNotFoundError:
            pass
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            whose = _whose(error, self._path)
            raise self._refused(
                f"remove the socket of before: {reason}{whose}"
            ) from error

    def _check_left_behind(self) -> None:
        if not stat.S_ISSOCK(os.lstat(self._path).st_mode):
            raise self._refused(
                "expected a socket or nothing at that path, found another kind of file"
            )
        if _is_served(self._path):
            raise self._refused("bind: address already in use")

    def _refused(self, reason: str) -> StartError:
        return StartError(f"listen {self._listen}: {reason}")


def _whose(error: OSError, path: str) -> str:
    """Return what to add where access was denied: a volume may be another user's."""
    if not isinstance(error, PermissionError):
        return ""
    folder = os.path.dirname(path) or "."
    owner = os.stat(folder).st_uid
    return (
        f": expected a folder that user {os.geteuid()} may write to, {folder} is "
        f"user {owner}'s"
    )


def _identity(path: str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


def _is_served(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return False
    return True
