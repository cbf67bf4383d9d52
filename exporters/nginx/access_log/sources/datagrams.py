"""Read datagrams a bounded time at a turn, so that a scrape is answered in a flood."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from typing import Final

from exporters.nginx.access_log.sources.sockets import drops


log = logging.getLogger(__name__)

# nginx does not cut what access_log sends (ngx_http_log_handler; only error_log is
# held to NGX_SYSLOG_MAX_STR): the largest line is the largest datagram.
_MAX_BYTES: Final = 65536
_TURN_SECONDS: Final = 0.003
_BATCH: Final = 32  # between two looks at the clock
_LAST_SECONDS: Final = 1.0


class Datagrams:
    """The datagrams of *sock*, a non-blocking socket that becomes ours, to *take*."""

    def __init__(self, sock: socket.socket, take: Callable[[bytes], None]) -> None:
        self._sock = sock
        self._take = take
        self._lost = 0
        self._drops = drops(sock) or 0

    def start(self) -> None:
        """Read whenever there is something, until `stop`."""
        asyncio.get_running_loop().add_reader(self._sock, self._turn)

    def stop(self) -> None:
        """Read what has come until now, at most for a second, and no more."""
        asyncio.get_running_loop().remove_reader(self._sock)
        self._read(_LAST_SECONDS)

    def change(self, sock: socket.socket) -> None:
        """Go on with *sock*, after what the one of before holds."""
        self.stop()
        self._sock.close()
        self._sock = sock
        self.start()

    def close(self) -> None:
        """Stop, and close the socket."""
        self.stop()
        self._sock.close()

    def lost(self) -> int:
        """Return how many datagrams the kernel had no room for, so far."""
        now = drops(self._sock)
        if now is not None:
            self._lost += (now - self._drops) & 0xFFFFFFFF
            self._drops = now
        return self._lost

    def _turn(self) -> None:
        self._read(_TURN_SECONDS)

    def _read(self, seconds: float) -> None:
        """Read until there is no more, or *seconds* are over."""
        receive, take = self._sock.recv, self._take
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                for _ in range(_BATCH):
                    take(receive(_MAX_BYTES))
        except BlockingIOError:
            pass
        except OSError as error:
            log.debug("receive a line of the access log: %s", error)
