"""The name behind an address, as Go's net.LookupAddr gives it.

``/etc/hosts`` first, then DNS; a name with a dot in it ends with one. A resolver that
hangs must not hold up messages: it gets a second, and is not asked again for a while.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Final


_HOSTS: Final = "/etc/hosts"
_PATIENCE_SECONDS: Final = 1.0
_KEPT_SECONDS: Final = 300.0
_MAX_KEPT: Final = 4096
_MAX_ASKED: Final = 8

Lookup = Callable[[str], str]


def look_up(ip: str) -> str:
    """Return the names of *ip* with commas between, or nothing. Blocks."""
    names = names_in_hosts(_read_hosts(), ip)
    if not names:
        with suppress(OSError):
            name, aliases, _ = socket.gethostbyaddr(ip)
            names = [_absolute(item) for item in dict.fromkeys((name, *aliases))]
    return ",".join(names)


def names_in_hosts(text: str, ip: str) -> list[str]:
    """Return the names of *ip* in *text*, which is like ``/etc/hosts``."""
    names: list[str] = []
    for line in text.splitlines():
        fields = line.partition("#")[0].split()
        if fields and fields[0] == ip:
            names += map(_absolute, fields[1:])
    return names


def _absolute(name: str) -> str:
    return f"{name}." if "." in name and not name.endswith(".") else name


def _read_hosts() -> str:
    try:
        with open(_HOSTS, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


class Hostnames:
    """Asks for names with *lookup*, which may block, in threads that nobody waits for.

    Such a thread ends with the process: a stop is not held up by a resolver.
    """

    def __init__(self, lookup: Lookup = look_up) -> None:
        self._lookup = lookup
        self._known: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._asked = 0

    async def of(self, ip: str) -> str:
        """Return the name of *ip*, empty when there is none or it takes too long."""
        loop = asyncio.get_running_loop()
        known = self._known.get(ip)
        if known is not None and known[0] > loop.time():
            return known[1]
        name = ""
        if self._asked < _MAX_ASKED:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    name = await self._ask(loop, ip)
        self._known.pop(ip, None)
        self._known[ip] = (loop.time() + _KEPT_SECONDS, name)
        if len(self._known) > _MAX_KEPT:
            self._known.popitem(last=False)
        return name

    def _ask(self, loop: asyncio.AbstractEventLoop, ip: str) -> asyncio.Future[str]:
        answer: asyncio.Future[str] = loop.create_future()

        def settle(name: str) -> None:
            self._asked -= 1
            if not answer.done():
                answer.set_result(name)

        def work() -> None:
            name = ""
            with suppress(Exception):  # whatever a resolver comes up with
                name = self._lookup(ip)
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, name)

        self._asked += 1
        threading.Thread(target=work, name="hostname", daemon=True).start()
        return answer
