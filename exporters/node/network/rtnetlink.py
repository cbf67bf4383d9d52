"""Links, neighbours and addresses from rtnetlink (linux/if_link.h, rtnetlink.h).

``parse_*`` take one message's payload; ``read_*`` ask the kernel. What is read is the
network namespace of this process, whatever ``--path.procfs`` says (as upstream).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

from exporters.node.network import ip_addresses, netlink, netlink_socket
from exporters.node.network.netlink import NetlinkError, parse_attributes


NUD_NOARP = 0x40

_RTM_GETLINK, _RTM_GETADDR, _RTM_GETNEIGH = 18, 22, 30
_IFLA_IFNAME, _IFLA_STATS, _IFLA_STATS64 = 3, 7, 23
_OF_A_LINK = frozenset({_IFLA_IFNAME, _IFLA_STATS, _IFLA_STATS64})
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
        return ip_addresses.text(self.packed)

    @property
    def scope(self) -> str:
        """Return the word that node_exporter has for the reach of the address."""
        return ip_addresses.scope(self.packed)


def parse_link(payload: bytes) -> Link:
    """Return the link of an RTM_NEWLINK message. Raises NetlinkError."""
    _require(payload, _IFINFOMSG, "link")
    found = netlink.find_attributes(payload, _IFINFOMSG.size, _OF_A_LINK)
    name = netlink.text(found.get(_IFLA_IFNAME, b""))
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


def read_link_messages() -> list[bytes]:
    """Return an RTM_NEWLINK payload for each interface. Raises OSError, ValueError."""
    body = _IFINFOMSG.pack(0, 0, 0, 0, 0)
    return netlink_socket.dump(netlink.ROUTE, _RTM_GETLINK, body)


def read_links() -> list[Link]:
    """Return every interface with its counters. Raises OSError, NetlinkError."""
    return [parse_link(payload) for payload in read_link_messages()]


def read_arp_table() -> list[Neighbour]:
    """Return the IPv4 neighbours. Raises OSError, NetlinkError."""
    body = _NDMSG.pack(socket.AF_INET, 0, 0, 0, 0)
    found = netlink_socket.dump(netlink.ROUTE, _RTM_GETNEIGH, body)
    return [parse_neighbour(payload) for payload in found]


def read_addresses() -> list[Address]:
    """Return every IPv4 and IPv6 address. Raises OSError, NetlinkError."""
    body = _IFADDRMSG.pack(0, 0, 0, 0, 0)
    found = netlink_socket.dump(netlink.ROUTE, _RTM_GETADDR, body)
    return [address for address in map(parse_address, found) if address is not None]


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
