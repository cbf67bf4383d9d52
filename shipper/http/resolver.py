"""Look names up: once for all who ask at the same time, and for some seconds."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import Final, NamedTuple

from .url import is_address


KEPT_SECONDS: Final = 10.0
"""How long an answer holds: many connections are made at once, or none for long."""

MAX_NAMES: Final = 64

SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


class Found(NamedTuple):
    """An address of a host, as connect(2) takes it."""

    family: int
    address: SocketAddress


Key = tuple[str, int]
_Lookup = asyncio.Future[list[Found]]


class Resolver:
    """Resolve names with getaddrinfo(3) on the loop's threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._under_way: dict[Key, _Lookup] = {}
        self._known: dict[Key, tuple[float, list[Found]]] = {}

    async def resolve(self, host: str, port: int) -> list[Found]:
        """Return the addresses of *host*, another one first each time.

        Raises OSError (gaierror) if it has none.
        """
        if is_address(host) and "%" not in host:  # no thread for it
            own = socket.AF_INET6 if ":" in host else socket.AF_INET
            return [Found(own, (host, port))]
        key = (host, port)
        until, known = self._known.get(key, (0.0, []))
        if self._loop.time() < until:
            known.append(known.pop(0))
            return list(known)
        lookup = self._under_way.get(key)
        if lookup is None:
            lookup = asyncio.ensure_future(self._look_up(host, port))
            self._under_way[key] = lookup
            lookup.add_done_callback(partial(self._done, key))
        # Who asks may give up; others wait for the same answer.
        return list(await asyncio.shield(lookup))

    def close(self) -> None:
        """Give up what is under way."""
        for lookup in list(self._under_way.values()):
            lookup.cancel()

    async def _look_up(self, host: str, port: int) -> list[Found]:
        # AI_ADDRCONFIG: no addresses of IPv6 where this machine has none itself. But
        # an address, with a zone here, is an answer as it is.
        flags = 0 if "%" in host else socket.AI_ADDRCONFIG
        try:
            infos = await self._loop.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=flags
            )
        except UnicodeError as error:  # "a..b": Python's IDNA codec refuses it
            text = "Name or service not known"
            raise socket.gaierror(socket.EAI_NONAME, text) from error
        found = [Found(family, address) for family, _, _, _, address in infos]
        if not found:
            text = "No address associated with hostname"
            raise socket.gaierror(socket.EAI_NODATA, text)
        return found

    def _done(self, key: Key, lookup: _Lookup) -> None:
        del self._under_way[key]
        if lookup.cancelled() or lookup.exception() is not None:
            return
        if len(self._known) >= MAX_NAMES:
            self._known.clear()
        self._known[key] = (self._loop.time() + KEPT_SECONDS, list(lookup.result()))
