"""Links, neighbours and addresses from rtnetlink (linux/if_link.h, rtnetlink.h).

``parse_*`` take one message's payload; ``read_*`` ask the kernel. What is read is the
network namespace of this process, whatever ``--path.procfs`` says (as upstream).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

from exporters.node.netlink import (
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_GETNEIGH,
    NetlinkError,
    dump,
    parse_attributes,
)


NUD_NOARP = 0x40

_IFLA_IFNAME, _IFLA_STATS, _IFLA_STATS64 = 3, 7, 23
_IFA_ADDRESS, _IFA_LOCAL = 1, 2

_IFINFOMSG = struct.Struct("=BxHiII")  # family, type, index, flags, change
_NDMSG = struct.Struct("=BxxxiHBB")  # family, ifindex, state, flags, type
_IFADDRMSG = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index

STATS_FIELDS = (
    "receive_packets",
    "transmit_packets",
    "receive_bytes",
    "transmit_bytes",
    "receive_errors",
    "transmit_errors",
    "receive_dropped",
    "transmit_dropped",
    "multicast",
    "collisions",
    "receive_length_errors",
    "receive_over_errors",
    "receive_crc_errors",
    "receive_frame_errors",
    "receive_fifo_errors",
    "receive_missed_errors",
    "transmit_aborted_errors",
    "transmit_carrier_errors",
    "transmit_fifo_errors",
    "transmit_heartbeat_errors",
    "transmit_window_errors",
    "receive_compressed",
    "transmit_compressed",
    "receive_nohandler",
)
"""The fields of struct rtnl_link_stats64 in order, by node_exporter's names."""

_IPV4_MAPPED = bytes(10) + b"\xff\xff"
_IPV4_NOT_UNICAST = frozenset({bytes(4), b"\xff\xff\xff\xff"})
_IPV6_LOOPBACK = bytes(15) + b"\1"

_MINIMUM_FIELDS = len(STATS_FIELDS) - 1  # rx_nohandler came with Linux 4.6


class Link(NamedTuple):
    """One network interface; *stats* follow STATS_FIELDS, None where there are none."""

    name: str
    stats: tuple[int, ...] | None


class Neighbour(NamedTuple):
    """One entry of the ARP table; *state* is NUD_*."""

    interface_index: int
    state: int


class Address(NamedTuple):
    """One address of an interface, as 4 or 16 bytes in network order."""

    interface_index: int
    prefix_length: int
    packed: bytes

    @property
    def text(self) -> str:
        """Return the address as Go prints it: IPv4 mapped into IPv6 as IPv4."""
        return socket.inet_ntop(
            socket.AF_INET if len(self._shortest) == 4 else socket.AF_INET6,
            self._shortest,
        )

    @property
    def scope(self) -> str:
        """Return link-local (loopback too), interface-local, global, or nothing.

        The names are node_exporter's, the classes Go's net.IP.
        """
        packed = self._shortest
        if len(packed) == 4:
            return _scope4(packed)
        return _scope6(packed)

    @property
    def _shortest(self) -> bytes:
        mapped = self.packed.startswith(_IPV4_MAPPED)
        return self.packed[len(_IPV4_MAPPED) :] if mapped else self.packed


def _scope4(packed: bytes) -> str:
    if packed[0] == 127 or packed[:2] == b"\xa9\xfe" or packed[:3] == b"\xe0\0\0":
        return "link-local"
    is_unicast = packed[0] & 0xF0 != 0xE0 and packed not in _IPV4_NOT_UNICAST
    return "global" if is_unicast else ""


def _scope6(packed: bytes) -> str:
    prefix = int.from_bytes(packed[:2], "big")
    if (
        packed == _IPV6_LOOPBACK
        or prefix & 0xFFC0 == 0xFE80
        or prefix & 0xFF0F == 0xFF02
    ):
        return "link-local"
    if prefix & 0xFF0F == 0xFF01:
        return "interface-local"
    is_unicast = packed[0] != 0xFF and any(packed)
    return "global" if is_unicast else ""


def parse_link(payload: bytes) -> Link:
    """Return the link of an RTM_NEWLINK message. Raises NetlinkError."""
    _require(payload, _IFINFOMSG, "link")
    found = dict(parse_attributes(payload, _IFINFOMSG.size))
    name = found.get(_IFLA_IFNAME, b"").rstrip(b"\0").decode("utf-8", "replace")
    stats = _counters(found.get(_IFLA_STATS64), 8)
    return Link(name, stats or _counters(found.get(_IFLA_STATS), 4))


def _counters(data: bytes | None, size: int) -> tuple[int, ...] | None:
    """Return the known counters of *data*, each of *size* bytes."""
    if data is None or len(data) < _MINIMUM_FIELDS * size:
        return None
    count = min(len(data) // size, len(STATS_FIELDS))
    letter = "Q" if size == struct.calcsize("=Q") else "I"
    values = struct.unpack_from(f"={count}{letter}", data)
    return values + (0,) * (len(STATS_FIELDS) - count)


def parse_neighbour(payload: bytes) -> Neighbour:
    """Return the entry of an RTM_NEWNEIGH message. Raises NetlinkError."""
    _require(payload, _NDMSG, "neighbour")
    _, index, state, _, _ = _NDMSG.unpack_from(payload)
    return Neighbour(index, state)


def parse_address(payload: bytes) -> Address | None:
    """Return the address of an RTM_NEWADDR message, None if it is not IPv4 or IPv6.

    The local end counts, not the peer of a point-to-point link (Go net.newAddr).
    Raises NetlinkError.
    """
    _require(payload, _IFADDRMSG, "address")
    family, prefix_length, _, _, index = _IFADDRMSG.unpack_from(payload)
    size = {socket.AF_INET: 4, socket.AF_INET6: 16}.get(family)
    found = dict(parse_attributes(payload, _IFADDRMSG.size))
    packed = found.get(_IFA_LOCAL, found.get(_IFA_ADDRESS))
    if size is None or packed is None:
        return None
    if len(packed) != size or prefix_length > 8 * size:
        raise NetlinkError(f"netlink: address of {len(packed)} bytes /{prefix_length}")
    return Address(index, prefix_length, packed)


def read_links() -> list[Link]:
    """Return every interface with its counters. Raises OSError, NetlinkError."""
    return [parse_link(p) for p in dump(RTM_GETLINK, _IFINFOMSG.pack(0, 0, 0, 0, 0))]


def read_arp_table() -> list[Neighbour]:
    """Return the IPv4 neighbours. Raises OSError, NetlinkError."""
    request = _NDMSG.pack(socket.AF_INET, 0, 0, 0, 0)
    return [parse_neighbour(payload) for payload in dump(RTM_GETNEIGH, request)]


def read_addresses() -> list[Address]:
    """Return every IPv4 and IPv6 address. Raises OSError, NetlinkError."""
    found = map(parse_address, dump(RTM_GETADDR, _IFADDRMSG.pack(0, 0, 0, 0, 0)))
    return [address for address in found if address is not None]


def interface_names(indices: Iterable[int]) -> dict[int, str]:
    """Return the name of each interface of *indices* that still exists."""
    names: dict[int, str] = {}
    for index in set(indices):
        try:
            names[index] = socket.if_indextoname(index)
        except (OSError, OverflowError):  # gone since the dump
            continue
    return names


def _require(payload: bytes, header: struct.Struct, what: str) -> None:
    if len(payload) < header.size:
        raise NetlinkError(f"netlink: {what} message of {len(payload)} bytes")
