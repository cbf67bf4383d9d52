"""Let a target in or not, and say where alone it may be connected to.

A name is looked up once: what was checked is what is connected to, so a name that
leads elsewhere at the second look (DNS rebinding) leads nowhere.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from exporters.nginx.http.resolver import Found, Lookup
from exporters.nginx.probe.addresses import Address, read_address
from exporters.nginx.probe.errors import NotAllowed
from exporters.nginx.probe.patterns import Pattern
from exporters.nginx.probe.target import UNIX, Asked


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admission:
    """A target that was let in by *pattern*.

    *uri* is to be asked for, with the credentials of *pattern* if it has any, and only
    at what *resolver* answers: *addresses*, none for a socket or an unknown name.
    """

    pattern: str
    uri: str = field(repr=False)
    resolver: Lookup
    addresses: tuple[str, ...] = ()


class CheckedAddresses:
    """Answer for one host, and with nothing but what was found and let in before."""

    def __init__(
        self, host: str, found: Sequence[Found], error: OSError | None = None
    ) -> None:
        self._host = host
        self._found = list(found)
        self._error = error

    async def resolve(
        self, host: str, port: int, family: int = socket.AF_UNSPEC
    ) -> list[Found]:
        """Return the addresses; raise OSError for another host or if there is none."""
        if host != self._host:
            raise PermissionError(errno.EACCES, f"{host} was not asked for")
        if self._error is not None:
            raise self._error
        return [
            each._replace(port=port)
            for each in self._found
            if family in {socket.AF_UNSPEC, each.family}
        ]


class Gate:
    """Decide by *patterns*, in their order; *resolver* looks names up."""

    def __init__(self, patterns: Sequence[Pattern], resolver: Lookup) -> None:
        self._patterns = patterns
        self._resolver = resolver

    async def admit(self, asked: Asked, limit_seconds: float) -> Admission:
        """Let *asked* in; raise NotAllowed if no pattern does.

        What no pattern can let in is not even looked up. A name that cannot be looked
        up within *limit_seconds* is let in: the module then tells why.
        """
        patterns = [each for each in self._patterns if each.may_take(asked)]
        if not patterns:
            raise _refusal(asked)
        if asked.scheme == UNIX:
            return _admission(patterns[0], asked, CheckedAddresses("", ()))
        if asked.address is not None:
            return _first(patterns, asked, [_literal(asked.host, asked.address)])
        try:
            found = await self._look_up(asked, limit_seconds)
        except OSError as error:
            unknown = CheckedAddresses(asked.host, (), error)
            return _admission(patterns[0], asked, unknown)
        return _first(patterns, asked, found)

    async def _look_up(self, asked: Asked, limit_seconds: float) -> Sequence[Found]:
        try:
            async with asyncio.timeout(limit_seconds):
                return await self._resolver.resolve(asked.host, asked.port)
        except TimeoutError as error:
            text = f"no answer within {limit_seconds:g}s"
            raise socket.gaierror(socket.EAI_AGAIN, text) from error


def _first(
    patterns: Sequence[Pattern], asked: Asked, found: Sequence[Found]
) -> Admission:
    """Return what the first of *patterns* lets in that takes an address of *found*."""
    for pattern in patterns:
        taken = [each for each in found if pattern.takes(read_address(each.address))]
        if taken:
            return _admission(
                pattern, asked, CheckedAddresses(asked.host, taken), taken
            )
    raise _refusal(asked, found)


def _literal(host: str, address: Address) -> Found:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return Found(family, host, 0)


def _admission(
    pattern: Pattern,
    asked: Asked,
    resolver: Lookup,
    found: Sequence[Found] = (),
) -> Admission:
    uri = asked.text
    if pattern.credentials:
        uri = uri.replace("://", f"://{pattern.credentials}@", 1)
    return Admission(pattern.text, uri, resolver, _addresses(found))


def _refusal(asked: Asked, found: Sequence[Found] = ()) -> NotAllowed:
    # Who asked is not told what a name leads to; who runs the exporter is.
    fields = {"target": asked.text, "addresses": ", ".join(_addresses(found))}
    log.warning("probe is not allowed", extra={"fields": fields})
    return NotAllowed(f"Target {asked.text!r} is not allowed by --probe.allow")


def _addresses(found: Sequence[Found]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.address for each in found))
