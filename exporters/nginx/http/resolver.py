"""Look names up on threads of their own.

The loop's default executor has threads that ``asyncio.run`` waits for at the end: a
name server that does not answer would hold up the exit.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, Protocol

from exporters.nginx.http.url import is_address


# More threads than this wait for name servers only if that many names hang.
MAX_THREADS = 64

Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
Key = tuple[str, int, int]


class Found(NamedTuple):
    """An address of a host: *address* as text, an IPv6 one with its zone if any."""

    family: int
    address: str
    port: int

    @property
    def socket_address(self) -> tuple[str, int] | tuple[str, int, int, int]:
        """Return what connect(2) takes, without a name in it."""
        address, _, zone = self.address.partition("%")
        if not zone:
            return address, self.port
        number = int(zone) if zone.isdecimal() else socket.if_nametoindex(zone)
        return address, self.port, 0, number


class Lookup(Protocol):
    """Look a host up."""

    async def resolve(
        self, host: str, port: int, family: int = socket.AF_UNSPEC
    ) -> list[Found]:
        """Return the addresses of *host*; raise OSError (gaierror) if it has none.

        An address is its own answer.
        """


def resolver_threads() -> ThreadPoolExecutor:
    """Return an executor for a Resolver. It starts a thread only when none is idle."""
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="nginx-dns")


class Resolver:
    """Resolve names with getaddrinfo(3) on *executor*, which the caller owns.

    Nothing is cached: a container that comes back has another address. But who asks
    for a name that is being looked up waits for that answer: a name server that hangs
    holds one thread for each name, however often it is scraped, and not all of them.
    """

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._under_way: dict[Key, asyncio.Future[list[Found]]] = {}

    async def resolve(
        self, host: str, port: int, family: int = socket.AF_UNSPEC
    ) -> list[Found]:
        """Return the addresses of *host*; raise OSError (gaierror) if it has none."""
        if is_address(host):
            own = socket.AF_INET6 if ":" in host else socket.AF_INET
            return [Found(own, host, port)] if family in {0, own} else []
        key = (host, port, family)
        lookup = self._under_way.get(key)
        if lookup is None:
            loop = asyncio.get_running_loop()
            lookup = loop.run_in_executor(self._executor, look_up, *key)
            self._under_way[key] = lookup
            lookup.add_done_callback(partial(self._done, key))
        # The one who asks may give up; the thread cannot, and others may wait for it.
        return await asyncio.shield(lookup)

    def _done(self, key: Key, lookup: asyncio.Future[list[Found]]) -> None:
        del self._under_way[key]
        if not lookup.cancelled():
            lookup.exception()  # seen: those who asked may all have given up


def look_up(host: str, port: int, family: int) -> list[Found]:
    """Return the addresses of *host*; block meanwhile.

    Without AI_ADDRCONFIG, as Go: "localhost" has its 127.0.0.1 on an IPv6 host, too.
    """
    try:
        found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    except (
        UnicodeError
    ) as error:  # "a..b": Python's IDNA codec refuses it, in its words
        text = "Name or service not known"
        raise socket.gaierror(socket.EAI_NONAME, text) from error
    return [_result(number, address) for number, _, _, _, address in found]


def _result(family: int, address: Address) -> Found:
    literal = str(address[0])
    if len(address) == 4 and address[3]:
        literal += f"%{address[3]}"  # a link-local address is nothing without it
    return Found(family, literal, int(address[1]))
