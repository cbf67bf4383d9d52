"""Queueing disciplines from rtnetlink (linux/pkt_sched.h, gen_stats.h).

Counterpart of ema/qdisc.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from exporters.node.network import netlink, netlink_socket, rtnetlink
from exporters.node.network.netlink import NetlinkError


_RTM_GETQDISC = 38
_TC_H_ROOT = 0xFFFF_FFFF
_TCA_KIND, _TCA_STATS, _TCA_STATS2 = 1, 3, 7
_TCA_STATS_BASIC, _TCA_STATS_QUEUE = 1, 3

_TCMSG = struct.Struct("=BxxxiIII")  # family, interface, handle, parent, info
# bytes, packets, drops, overlimits, bits/s, packets/s, queue length, backlog
_TC_STATS = struct.Struct("=QIIIIIII")
_BASIC = struct.Struct("=QI")  # bytes, packets
_QUEUE = struct.Struct("=IIIII")  # length, backlog, drops, requeues, overlimits


class Counts(NamedTuple):
    """What a queueing discipline did; *queue_length* in packets, *backlog* in bytes."""

    bytes: int = 0
    packets: int = 0
    drops: int = 0
    requeues: int = 0
    overlimits: int = 0
    queue_length: int = 0
    backlog: int = 0


class Qdisc(NamedTuple):
    """One queueing discipline that is the root of its device."""

    device: str
    kind: str
    counts: Counts


class Root(NamedTuple):
    """The same as the kernel tells it: by the number of the interface."""

    interface_index: int
    kind: str
    counts: Counts


def parse_root(payload: bytes) -> Root | None:
    """Return the discipline of an RTM_NEWQDISC message, None if it is not a root.

    Raises NetlinkError.
    """
    if len(payload) < _TCMSG.size:
        raise NetlinkError(f"netlink: qdisc message of {len(payload)} bytes")
    _, index, _, parent, _ = _TCMSG.unpack_from(payload)
    if parent not in {0, _TC_H_ROOT}:
        return None
    found = dict(netlink.parse_attributes(payload, _TCMSG.size))
    kind = netlink.text(found.get(_TCA_KIND, b""))
    return Root(index, kind, _counts(found))


def read_roots() -> list[Qdisc]:
    """Return the root disciplines of every device. Raises OSError, NetlinkError."""
    body = _TCMSG.pack(0, 0, 0, 0, 0)
    found = map(parse_root, netlink_socket.dump(netlink.ROUTE, _RTM_GETQDISC, body))
    roots = [root for root in found if root is not None]
    names = rtnetlink.interface_names(root.interface_index for root in roots)
    return [
        Qdisc(names[index], kind, counts)
        for index, kind, counts in roots
        if index in names
    ]


def _counts(found: Mapping[int, bytes]) -> Counts:
    """Return the counts of the old attribute, or of the new one where it is alone.

    The old one does not know of requeues.
    """
    new = _new_counts(found.get(_TCA_STATS2, b""))
    if _TCA_STATS not in found:
        return new
    fields = _unpack(_TC_STATS, found[_TCA_STATS])
    sent, packets, drops, overlimits, _, _, length, backlog = fields
    return Counts(sent, packets, drops, new.requeues, overlimits, length, backlog)


def _new_counts(data: bytes) -> Counts:
    found = dict(netlink.parse_attributes(data))
    sent, packets = _unpack(_BASIC, found.get(_TCA_STATS_BASIC, bytes(_BASIC.size)))
    queue = found.get(_TCA_STATS_QUEUE, bytes(_QUEUE.size))
    length, backlog, drops, requeues, overlimits = _unpack(_QUEUE, queue)
    return Counts(sent, packets, drops, requeues, overlimits, length, backlog)


def _unpack(layout: struct.Struct, data: bytes) -> tuple[int, ...]:
    if len(data) < layout.size:
        raise NetlinkError(f"netlink: qdisc statistics of {len(data)} bytes")
    return layout.unpack_from(data)
