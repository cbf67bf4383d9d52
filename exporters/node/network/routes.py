"""Routes from rtnetlink (linux/rtnetlink.h, net/ipv4/fib_semantics.c).

Counterpart of jsimonetti/rtnetlink's route.go.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node.network import ip_addresses, netlink, netlink_socket
from exporters.node.network.netlink import NetlinkError


_RTM_GETROUTE = 26
_RTN_UNICAST = 1
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY = 1, 4, 5, 6
_RTA_PREFSRC, _RTA_MULTIPATH = 7, 9
_AF_MPLS = 28
_FAMILIES = frozenset({socket.AF_INET, socket.AF_INET6, _AF_MPLS})
_ADDRESS_SIZES = frozenset({4, 16})

# family, destination's and source's length, TOS, table, protocol, scope, type, flags
_RTMSG = struct.Struct("=BBBBBBBBI")
_RTNEXTHOP = struct.Struct("=HBBI")  # length, flags, hops, interface


class Hop(NamedTuple):
    """Where a route leads: *gateway* is "" on the link, *weight* where it is alone."""

    interface_index: int
    gateway: str
    weight: str


class Route(NamedTuple):
    """One unicast route; *protocol* is RTPROT_*."""

    source: str
    destination: str
    priority: int
    protocol: int
    hops: tuple[Hop, ...]


def parse_route(payload: bytes) -> Route | None:
    """Return the route of an RTM_NEWROUTE message, None if it is not a unicast one.

    Raises NetlinkError.
    """
    if len(payload) < _RTMSG.size:
        raise NetlinkError(f"netlink: route message of {len(payload)} bytes")
    family, length, _, _, _, protocol, _, kind, _ = _RTMSG.unpack_from(payload)
    if kind != _RTN_UNICAST or family not in _FAMILIES:
        return None
    found = dict(netlink.parse_attributes(payload, _RTMSG.size))
    hops = tuple(_parse_hops(found.get(_RTA_MULTIPATH, b"")))
    return Route(
        source=_address(found.get(_RTA_PREFSRC)),
        destination=_prefix(found.get(_RTA_DST), length),
        priority=netlink.integer(found.get(_RTA_PRIORITY, bytes(4))),
        protocol=protocol,
        hops=hops or (_only_hop(found),),
    )


def read_routes() -> list[Route]:
    """Return the unicast routes of every table. Raises OSError, NetlinkError."""
    body = _RTMSG.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)
    found = netlink_socket.dump(netlink.ROUTE, _RTM_GETROUTE, body)
    return [route for route in map(parse_route, found) if route is not None]


def _only_hop(found: dict[int, bytes]) -> Hop:
    index = netlink.integer(found.get(_RTA_OIF, bytes(4)))
    return Hop(index, _address(found.get(_RTA_GATEWAY)), "")


def _parse_hops(data: bytes) -> Iterator[Hop]:
    """Yield the next hops of an RTA_MULTIPATH: each one a header and attributes."""
    while data:
        if len(data) < _RTNEXTHOP.size:
            raise NetlinkError(f"netlink: {len(data)} bytes left of a next hop")
        length, _, hops, index = _RTNEXTHOP.unpack_from(data)
        if not _RTNEXTHOP.size <= length <= len(data):
            raise NetlinkError(f"netlink: next hop claims {length} bytes")
        found = dict(netlink.parse_attributes(data[:length], _RTNEXTHOP.size))
        yield Hop(index, _address(found.get(_RTA_GATEWAY)), str(hops + 1))
        data = data[netlink.aligned(length) :]


def _address(packed: bytes | None) -> str:
    if packed is None:
        return ""
    if len(packed) not in _ADDRESS_SIZES:
        raise NetlinkError(f"netlink: address of {len(packed)} bytes")
    return ip_addresses.text(packed)


def _prefix(packed: bytes | None, length: int) -> str:
    if not length:
        return "default"
    shown = _address(packed)
    if packed and "." in shown and length > 32:  # IPv4 mapped into IPv6
        shown = socket.inet_ntop(socket.AF_INET6, packed)
    return f"{shown}/{length}"
