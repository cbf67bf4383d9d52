"""Read IPVS, the kernel's load balancer (procfs ipvs.go).

The kernel's side is net/netfilter/ipvs/ip_vs_ctl.c: ``ip_vs`` lists each service and,
below it, its real servers; ``ip_vs_stats`` holds the totals. Both are hexadecimal but
for weights and connections.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs


class Service(NamedTuple):
    """What clients connect to; a service by firewall mark has no address."""

    proto: str
    address: str
    port: int
    mark: str


class Backend(NamedTuple):
    """A real server of a *service*, and what it has to do."""

    service: Service
    address: str
    port: int
    weight: int
    active: int
    inactive: int


# SCTP is not known upstream, which counts its servers as the service's above it.
_PROTOCOLS = frozenset({b"TCP", b"UDP", b"SCTP"})
_IPV4_LENGTH = len("C0A80016:0CEA")
_IPV6_LENGTH = len("[2620:0000:0000:0000:0000:0000:0000:0001]:0050")
_STATS_FIELDS = 5
_BACKEND_FIELDS = 6
_HEADING = b"RemoteAddress:Port"
_NO_SERVICE = Service("", "", 0, "")


def parse_stats(data: bytes) -> list[int]:
    """Return connections, packets in and out, bytes in and out of ``ip_vs_stats``.

    Raises ValueError.
    """
    lines = data.split(b"\n", 3)
    if len(lines) < 4:
        raise ValueError(f"ip_vs_stats: expected 3 lines, got {len(lines) - 1}")
    fields = lines[2].split()
    if len(fields) != _STATS_FIELDS:
        raise ValueError(
            f"ip_vs_stats:3: expected {_STATS_FIELDS} fields, got {len(fields)}"
        )
    return [procfs.parse_uint(field, base=16) for field in fields]


def parse(data: bytes) -> Iterator[Backend]:
    """Yield the real servers of an ``ip_vs`` file. Raises ValueError.

    Lines of another kind, the three of the heading among them, are left out.
    """
    service = _NO_SERVICE
    for number, line in procfs.lines(data):
        fields = line.split()
        try:
            if fields[0] == b"->":
                if len(fields) >= _BACKEND_FIELDS and fields[1] != _HEADING:
                    yield _backend(service, fields)
            else:
                service = _service(fields) or service
        except ValueError as error:
            raise ValueError(f"ip_vs:{number}: {error}") from error


def _service(fields: list[bytes]) -> Service | None:
    kind, *rest = fields
    if not rest:
        return None
    if kind == b"FWM":
        return Service("FWM", "", 0, procfs.text(rest[0]))
    if kind in _PROTOCOLS:
        return Service(kind.decode(), *parse_endpoint(rest[0]), "")
    return None


def _backend(service: Service, fields: list[bytes]) -> Backend:
    address, port = parse_endpoint(fields[1])
    weight, active, inactive = map(procfs.parse_uint, fields[3:6])
    return Backend(service, address, port, weight, active, inactive)


def parse_endpoint(field: bytes) -> tuple[str, int]:
    """Return address and port of "C0A80016:0CEA" or "[2620:…:0001]:0050".

    The address is written as Go writes it. Raises ValueError.
    """
    port = procfs.parse_uint(field[-4:], base=16)
    if len(field) == _IPV4_LENGTH:
        number = procfs.parse_uint(field[:8], base=16)
        return str(ipaddress.IPv4Address(number)), port
    text = procfs.text(field[1:40])
    if len(field) != _IPV6_LENGTH or "%" in text:
        raise ValueError(f"expected an address and a port, got {field[:60]!r}")
    address = ipaddress.IPv6Address(text)
    return str(address.ipv4_mapped or address), port
