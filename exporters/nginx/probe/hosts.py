"""Read the host of a target or of a pattern, in the one way it may be written.

A policy is passed by where its reader and the one that connects differ, so what has
several readings is refused: ``0x7f.1``, ``010.0.0.1`` and ``2130706433``, which
inet_aton(3) takes for addresses, zones (``[fe80::1%eth0]``), percent-encoding.
As in the URL standard of WHATWG, a host that ends in a number is an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from exporters.nginx.http.url import to_ascii
from exporters.nginx.probe.addresses import Address, unmapped


MAX_NAME = 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Host:
    """A name in lower case as DNS has it, or an address."""

    text: str
    address: Address | None = None

    @property
    def name(self) -> str:
        """The name without the dot that makes it absolute."""
        return self.text.removesuffix(".")

    @property
    def in_uri(self) -> str:
        """The host as a URI has it."""
        return f"[{self.text}]" if ":" in self.text else self.text


def read_host(text: str) -> Host:
    """Return the host *text* names, an IPv6 address in brackets.

    Raises ValueError, without a text for the user, for anything else.
    """
    if text.startswith("["):
        return _of_address(IPv6Address(text.removeprefix("[").removesuffix("]")))
    lower = to_ascii(text.lower())
    name = lower.removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _of_address(IPv4Address(name))
    if len(name) > MAX_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(text)
    return Host(lower)


def _of_address(address: Address) -> Host:
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError(str(address))
    plain = unmapped(address)
    return Host(str(plain), plain)
