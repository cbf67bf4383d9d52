"""Generic netlink: families by name, and their dumps (linux/genetlink.h).

Counterpart of mdlayher/genetlink.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from exporters.node.network import netlink, netlink_socket
from exporters.node.network.netlink import NetlinkError


_GENL_ID_CTRL = 16
_CTRL_CMD_GETFAMILY = 3
_CTRL_ATTR_FAMILY_ID, _CTRL_ATTR_FAMILY_NAME, _CTRL_ATTR_VERSION = 1, 2, 3

_HEADER = struct.Struct("=BBxx")  # command, version


class Family(NamedTuple):
    """One family: its message type, and the version to name in requests."""

    id: int
    version: int


def parse_family(payload: bytes) -> Family:
    """Return the family of a CTRL_CMD_NEWFAMILY message. Raises NetlinkError."""
    found = dict(netlink.parse_attributes(attributes(payload)))
    if _CTRL_ATTR_FAMILY_ID not in found:
        raise NetlinkError("netlink: generic family without a number")
    version = netlink.integer(found.get(_CTRL_ATTR_VERSION, b"\1"))
    return Family(netlink.integer(found[_CTRL_ATTR_FAMILY_ID]), version & 0xFF)


def attributes(payload: bytes) -> bytes:
    """Return *payload* without generic netlink's header. Raises NetlinkError."""
    if len(payload) < _HEADER.size:
        raise NetlinkError(f"netlink: generic message of {len(payload)} bytes")
    return payload[_HEADER.size :]


def find_family(name: str) -> Family:
    """Return the family called *name*.

    Raises FileNotFoundError where the kernel has none, any other OSError, and
    NetlinkError.
    """
    wanted = netlink.attribute(_CTRL_ATTR_FAMILY_NAME, name.encode() + b"\0")
    body = _HEADER.pack(_CTRL_CMD_GETFAMILY, 1) + wanted
    found = netlink_socket.ask(netlink.GENERIC, _GENL_ID_CTRL, body)
    if not found:
        raise NetlinkError(f"netlink: no answer about the family {name}")
    return parse_family(found[0])


def dump(family: Family, command: int, wanted: bytes = b"") -> list[bytes]:
    """Return the attributes of everything that *command* lists.

    *wanted* are the request's attributes. Raises OSError and NetlinkError.
    """
    body = _HEADER.pack(command, family.version) + wanted
    found = netlink_socket.dump(netlink.GENERIC, family.id, body)
    return [attributes(payload) for payload in found]
