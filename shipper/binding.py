"""Come by a listening socket, however long that takes."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from exporters.toolkit.errors import StartError
from exporters.toolkit.listen import split_address


log = logging.getLogger(__name__)

_FIRST_WAIT_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 15.0
_LOOKUP_SECONDS: Final = 5.0
_RECEIVE_BUFFER_BYTES: Final = 1024 * 1024  # as promtail's UDP target

Open = Callable[[str], Awaitable[socket.socket]]


class Binding:
    """Opens *address* with *opener*, again and again until it works.

    *reason* says why it does not, None once it does.
    """

    def __init__(self, what: str, address: str, opener: Open) -> None:
        self.reason: str | None = f"{what}: not listening yet"
        self._what = what
        self._address = address
        self._opener = opener

    async def until_open(self, stop: asyncio.Event) -> socket.socket | None:
        """Return the socket; None when *stop* is set before there is one."""
        wait = _FIRST_WAIT_SECONDS
        while not stop.is_set():
            try:
                sock = await self._opener(self._address)
            except StartError as error:
                self._failed(str(error))
            else:
                self.reason = None
                return sock
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await stop.wait()
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        return None

    def _failed(self, text: str) -> None:
        reason = f"{self._what}: {text}"
        if reason != self.reason:  # once per kind, not once per attempt
            log.warning("%s; trying again", reason)
        self.reason = reason


async def open_datagram(address: str) -> socket.socket:
    """Return a UDP socket bound to *address*; the caller closes it.

    ``:514`` takes IPv4 and IPv6. Raises StartError: ``listen udp :514: bind: …``.
    """
    host, port = split_address(address)
    try:
        async with asyncio.timeout(_LOOKUP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(
                host or None, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
            )
    except (OSError, UnicodeError) as error:  # gaierror, TimeoutError, bad IDNA
        raise StartError(f"listen udp: lookup {host}: no such host") from error
    if not host:  # IPv6 takes both
        found.sort(key=lambda item: item[0] != socket.AF_INET6)
    family, _, _, _, where = found[0]
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(bool(host)))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        sock.setblocking(False)
        sock.bind(where)
    except OSError as error:
        sock.close()
        reason = (error.strerror or str(error)).lower()
        raise StartError(f"listen udp {address}: bind: {reason}") from error
    return sock
