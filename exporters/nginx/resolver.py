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


class Resolver(AbstractResolver):
    """Resolve names with getaddrinfo(3) on *executor*, which the caller owns.

    Nothing is cached: a container that comes back has another address.
    """

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of *host*; raise OSError (gaierror) if it has none."""
        lookup = partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._executor, lookup)
        return [
            _result(host, number, protocol, address)
            for number, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Do nothing: the executor outlives each connector."""


def _result(
    host: str,
    family: int,
    protocol: int,
    address: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes],
) -> ResolveResult:
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
