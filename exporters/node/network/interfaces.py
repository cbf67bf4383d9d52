"""What rtnetlink tells of network interfaces beside counters (linux/if_link.h).

Counterpart of jsimonetti/rtnetlink's LinkAttributes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from exporters.node.network import netlink, rtnetlink


_IFLA_ADDRESS, _IFLA_BROADCAST, _IFLA_LINK = 1, 2, 5
_IFLA_OPERSTATE, _IFLA_IFALIAS, _IFLA_PROP_LIST, _IFLA_ALT_IFNAME = 16, 20, 52, 53
# Attribute -> property, by node_exporter's names.
_NUMBERS = {
    4: "mtu_bytes",
    13: "transmit_queue_length",
    17: "iface_link_mode",
    27: "net_dev_group",
    33: "carrier",
    35: "carrier_changes_total",
    47: "carrier_up_changes_total",
    48: "carrier_down_changes_total",
}
_OPERSTATES = (
    "unknown",
    "notpresent",
    "down",
    "lowerlayerdown",
    "testing",
    "dormant",
    "up",
)
_IFF_DORMANT = 1 << 17

_IFINFOMSG = struct.Struct("=BxHIII")  # family, type, index, flags, change


class Interface(NamedTuple):
    """One interface; *numbers* are what sysfs has as numbers, *stats* STATS_FIELDS."""

    name: str
    address: str
    broadcast: str
    alias: str
    other_names: tuple[str, ...]
    state: str
    numbers: Mapping[str, int]
    stats: tuple[int, ...] | None


def parse_interface(payload: bytes) -> Interface:
    """Return the interface of an RTM_NEWLINK message. Raises NetlinkError."""
    name, stats = rtnetlink.parse_link(payload)
    found = dict(netlink.parse_attributes(payload, _IFINFOMSG.size))
    return Interface(
        name=name,
        address=_hardware_address(found.get(_IFLA_ADDRESS, b"")),
        broadcast=_hardware_address(found.get(_IFLA_BROADCAST, b"")),
        alias=netlink.text(found.get(_IFLA_IFALIAS, b"")),
        other_names=tuple(_other_names(found.get(_IFLA_PROP_LIST, b""))),
        state=_state(found.get(_IFLA_OPERSTATE, b"\0")),
        numbers=dict(_numbers(payload, found)),
        stats=stats,
    )


def read_interfaces() -> list[Interface]:
    """Return every interface of this namespace. Raises OSError, NetlinkError."""
    return [parse_interface(payload) for payload in rtnetlink.read_link_messages()]


def _hardware_address(value: bytes) -> str:
    return value.hex(":")


def _other_names(properties: bytes) -> Iterator[str]:
    for kind, value in netlink.parse_attributes(properties):
        if kind == _IFLA_ALT_IFNAME and (name := netlink.text(value)):
            yield name


def _state(value: bytes) -> str:
    number = netlink.integer(value)
    return _OPERSTATES[number] if number < len(_OPERSTATES) else "unknown"


def _numbers(payload: bytes, found: Mapping[int, bytes]) -> Iterator[tuple[str, int]]:
    _, kind, index, flags, _ = _IFINFOMSG.unpack_from(payload)
    yield "protocol_type", kind
    yield "iface_id", index
    yield "flags", flags
    yield "dormant", int(bool(flags & _IFF_DORMANT))
    # The kernel leaves the link out where it is the interface itself.
    yield "iface_link", netlink.integer(found.get(_IFLA_LINK, bytes(4))) or index
    for attribute, name in _NUMBERS.items():
        if attribute in found:
            yield name, netlink.integer(found[attribute])
