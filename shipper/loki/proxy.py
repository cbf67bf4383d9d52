"""Which proxy a request goes through: Go's rules (golang.org/x/net/http/httpproxy)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, Self

from shipper.http.url import Url, to_ascii


Address = IPv4Address | IPv6Address

_PREFIX: Final = re.compile(r".+/\d+", re.ASCII)
_MAPPED_BITS: Final = 96
"""The length of ``::ffff:0:0/96``, where IPv6 carries IPv4 addresses."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy and who we are there."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def authorization(self) -> str:
        """Return the Proxy-Authorization header, empty when there is no login."""
        if not self.username and not self.password:
            return ""
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")


@dataclass(frozen=True, slots=True)
class _Host:
    """An address or a domain that gets no proxy; *port* empty: on every port."""

    port: str
    address: Address | None = None
    suffix: str = ""  # ".example.org"
    itself: bool = False  # "example.org" too


@dataclass(frozen=True, slots=True)
class NoProxy:
    """The hosts of a NO_PROXY list. Loopback never gets a proxy."""

    everything: bool = False
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    hosts: tuple[_Host, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read *text*; what is malformed in it is passed over, as Go does."""
        networks: list[IPv4Network | IPv6Network] = []
        hosts: list[_Host] = []
        for item in (part.strip().lower() for part in text.split(",")):
            if item == "*":
                return cls(everything=True)
            if network := _network(item):
                networks.append(network)
            elif host := _host(item):
                hosts.append(host)
        return cls(networks=tuple(networks), hosts=tuple(hosts))

    def exempts(self, host: str, port: int) -> bool:
        """Say whether *host*, a name or an address, is reached without a proxy."""
        host = host.strip().lower()
        address = _address(host)
        if host == "localhost" or (address and address.is_loopback):
            return True
        if self.everything:
            return True
        if address is None:
            return any(_is_in(host, port, item) for item in self.hosts)
        return any(address in network for network in self.networks) or any(
            item.address == address and item.port in {"", str(port)}
            for item in self.hosts
        )


@dataclass(frozen=True, slots=True)
class ProxyRules:
    """Proxies by the scheme of the target; *exempt* None: no exceptions at all."""

    http: Proxy | None = None
    https: Proxy | None = None
    exempt: NoProxy | None = None
    connect_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def choose(self, url: Url) -> Proxy | None:
        """Return the proxy for *url*, None: go there directly."""
        proxy = self.https if url.scheme == "https" else self.http
        if proxy and self.exempt and self.exempt.exempts(url.host, url.port):
            return None
        return proxy


def environment(environ: Mapping[str, str], name: str) -> str:
    """Return ``NAME``, or ``name`` where that is empty."""
    return environ.get(name.upper()) or environ.get(name.lower(), "")


def _network(item: str) -> IPv4Network | IPv6Network | None:
    """Read a CIDR; one of mapped addresses is the IPv4 network it stands for."""
    if not _PREFIX.fullmatch(item):
        return None
    try:
        network = ip_network(item, strict=False)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped:
            return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


def _host(item: str) -> _Host | None:
    name, port = _split_port(item)
    if (address := _address(name)) and "%" not in name:
        return _Host(port, address)
    name = name.removeprefix("*") if name.startswith("*.") else name
    if not name:
        return None
    itself = not name.startswith(".")
    suffix = f".{name}" if itself else name
    return _Host(port, suffix="." + _ascii(suffix[1:]), itself=itself)


def _split_port(item: str) -> tuple[str, str]:
    """Take ``host:port`` or ``[v6]:port`` apart; everything else has no port."""
    name, colon, port = item.rpartition(":")
    if name.startswith("[") and name.endswith("]"):
        return name[1:-1], port
    if not colon or set(name) & set(":[]") or set(port) & set("[]"):
        return item, ""
    return name, port


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_in(host: str, port: int, item: _Host) -> bool:
    if not item.suffix or item.port not in {"", str(port)}:
        return False
    return host.endswith(item.suffix) or (item.itself and host == item.suffix[1:])


def _ascii(name: str) -> str:
    """Return *name* as DNS spells it, unchanged where that cannot be."""
    try:
        return to_ascii(name)
    except ValueError:
        return name
