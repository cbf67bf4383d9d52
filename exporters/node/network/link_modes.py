"""Speed and duplex of network devices by ethtool's netlink (linux/ethtool_netlink.h).

Counterpart of mdlayher/ethtool's LinkModes. Linux has it since 5.6.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from exporters.node.network import genetlink, netlink


_FAMILY = "ethtool"
_LINKMODES_GET = 4
_HEADER, _SPEED, _DUPLEX = 1, 5, 6  # ETHTOOL_A_LINKMODES_*
_HEADER_DEVICE_NAME, _HEADER_FLAGS = 2, 3
_COMPACT_BITSETS = 1  # names of modes, which nobody reads here, would be long

_DUPLEX_NAMES = {0: "Half", 1: "Full", 255: "Unknown"}


class LinkMode(NamedTuple):
    """One device's mode; *megabits* a second is -1 where the driver does not know."""

    device: str
    megabits: int | None
    duplex: str


def parse_link_mode(data: bytes) -> LinkMode:
    """Return the mode that the attributes *data* tell. Raises NetlinkError."""
    found = dict(netlink.parse_attributes(data))
    header = dict(netlink.parse_attributes(found.get(_HEADER, b"")))
    device = netlink.text(header.get(_HEADER_DEVICE_NAME, b""))
    speed, duplex = found.get(_SPEED), found.get(_DUPLEX)
    return LinkMode(
        device,
        None if speed is None else _signed(netlink.integer(speed)),
        "" if duplex is None else _duplex(netlink.integer(duplex)),
    )


def _signed(speed: int) -> int:
    """Return SPEED_UNKNOWN, 32 bits of ones, as the -1 that sysfs prints."""
    return speed - 2**32 if speed >= 2**31 else speed


def _duplex(number: int) -> str:
    return _DUPLEX_NAMES.get(number, f"Duplex({number})")


def read_link_modes() -> list[LinkMode]:
    """Return the mode of every device whose driver tells it.

    Raises FileNotFoundError where this kernel has no ethtool over netlink, any other
    OSError, and NetlinkError.
    """
    family = genetlink.find_family(_FAMILY)
    flags = netlink.attribute(_HEADER_FLAGS, struct.pack("=I", _COMPACT_BITSETS))
    wanted = netlink.attribute(_HEADER | netlink.NESTED, flags)
    return [
        parse_link_mode(data) for data in genetlink.dump(family, _LINKMODES_GET, wanted)
    ]
