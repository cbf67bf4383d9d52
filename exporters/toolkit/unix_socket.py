"""Listen on a unix socket: ``unix:/run/exporter.sock``.

Upstream counterparts: nginx-prometheus-exporter 0.x (``exporter.go``, getListener) and
Go's ``net.ListenUnix``, whose texts and mode are kept: the umask decides who may write
to the socket, which is what it takes to connect. exporter-toolkit, and so 1.x, cannot.
"""

from __future__ import annotations

import errno
import os
import socket
import stat

from .errors import StartError


SCHEME = "unix:"
_BACKLOG = 128


def split(address: str) -> tuple[str, str]:
    """Return the path of the socket in *address*, and that of the request behind it.

    ``unix:/run/x.sock:/metrics`` has both; ``@`` in front is Linux' abstract namespace.
    """
    path, colon, request = address.removeprefix(SCHEME).partition(":/")
    if path.startswith("@"):
        path = "\0" + path[1:]
    return path, f"/{request}" if colon else ""


def listen(address: str) -> socket.socket:
    """Return a socket that listens at *address*; closing it removes its file.

    A file that a killed program left behind is replaced, where Go refuses to start.

    Raises:
        StartError: ``listen unix /run/x.sock: bind: address already in use`` and such.
    """
    path, _ = split(address)
    if not path:
        raise StartError(f"listen {address}: expected unix:/path/of/socket")
    sock = _Listener(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind(sock, path)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        shown = path.replace("\0", "@")
        raise StartError(f"listen unix {shown}: bind: {reason}") from error
    return sock


class _Listener(socket.socket):
    """A socket that takes its file along, unless another one's is there by then."""

    file: tuple[str, os.stat_result] | None = None

    def close(self) -> None:
        if self.file is not None:
            path, mine = self.file
            self.file = None
            try:
                if os.path.samestat(os.lstat(path), mine):
                    os.unlink(path)
            except OSError:
                pass  # it is gone, or the directory is read-only by now
        super().close()


def _bind(sock: _Listener, path: str) -> None:
    try:
        sock.bind(path)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not _is_left_behind(path):
            raise
        os.unlink(path)
        sock.bind(path)
    if not path.startswith("\0"):
        sock.file = path, os.lstat(path)


def _is_left_behind(path: str) -> bool:
    """Say whether *path* is a socket that nobody listens on."""
    if path.startswith("\0") or not stat.S_ISSOCK(os.lstat(path).st_mode):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)  # a full queue is an answer, too
        try:
            client.connect(path)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False
