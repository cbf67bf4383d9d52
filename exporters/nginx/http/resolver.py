"""Look names up on threads of their own.

aiohttp's resolver uses the loop's default executor, whose threads ``asyncio.run``
waits for at the end: a name server that does not answer would hold up the exit.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult


# More threads than this wait for name servers only if that many names hang.
MAX_THREADS = 64

Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
Key = tuple[str, int, socket.AddressFamily]


def resolver_threads() -> ThreadPoolExecutor:
    """Return an executor for a Resolver. It starts a thread only when none is idle."""
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="nginx-dns")


class Resolver(AbstractResolver):
    """Resolve names with getaddrinfo(3) on *executor*, which the caller owns.

    Nothing is cached: a container that comes back has another address. But who asks
    for a name that is being looked up waits for that answer: a name server that hangs
    holds one thread for each name, however often it is scraped, and not all of them.
    """

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._under_way: dict[Key, asyncio.Future[list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of *host*; raise OSError (gaierror) if it has none."""
        key = (host, port, family)
        lookup = self._under_way.get(key)
        if lookup is None:
            loop = asyncio.get_running_loop()
            lookup = loop.run_in_executor(self._executor, look_up, *key)
            self._under_way[key] = lookup
            lookup.add_done_callback(partial(self._done, key))
        # The one who asks may give up; the thread cannot, and others may wait for it.
        return await asyncio.shield(lookup)

    def _done(self, key: Key, lookup: asyncio.Future[list[ResolveResult]]) -> None:
        del self._under_way[key]
        if not lookup.cancelled():
            lookup.exception()  # seen: those who asked may all have given up

    async def close(self) -> None:
        """Do nothing: the executor outlives each connector."""


def look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
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
    return [
        _result(host, number, protocol, address)
        for number, _, protocol, _, address in found
    ]


def _result(host: str, family: int, protocol: int, address: Address) -> ResolveResult:
    literal = str(address[0])
    if len(address) == 4 and address[3]:
        literal += f"%{address[3]}"  # a link-local address is nothing without it
    return ResolveResult(
        hostname=host,
        host=literal,
        port=int(address[1]),
        family=family,
        proto=protocol,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
