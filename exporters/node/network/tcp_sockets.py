"""TCP sockets by state from sock_diag (linux/inet_diag.h, include/net/tcp_states.h)."""

from __future__ import annotations

import socket
import struct
from collections import Counter
from collections.abc import Iterable, Mapping

from exporters.node.network import netlink, netlink_socket
from exporters.node.network.netlink import NetlinkError


_SOCK_DIAG_BY_FAMILY = 20
_ALL_STATES = 0xFFF
# family, protocol, extensions, states; the identity of a socket is left empty
_REQUEST = struct.Struct("=BBBxI48x")
_IDENTITY_BYTES = 48
# family, state, timer, retransmits, identity, expiry, receive and write queue, ...
_MESSAGE = struct.Struct(f"=xBxx{_IDENTITY_BYTES}xxxxxII8x")

_STATES = (
    "unknown",
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
)


def count(payloads: Iterable[bytes]) -> Mapping[str, int]:
    """Return the number of sockets by state, and the bytes in their queues.

    Of a listening socket the queues are those of connections, counted alike (as
    upstream). Nothing is counted where there is no socket. Raises NetlinkError.
    """
    found: Counter[str] = Counter()
    for payload in payloads:
        if len(payload) < _MESSAGE.size:
            raise NetlinkError(f"netlink: socket message of {len(payload)} bytes")
        state, received, written = _MESSAGE.unpack_from(payload)
        found[_STATES[state] if state < len(_STATES) else "unknown"] += 1
        found["rx_queued_bytes"] += received
        found["tx_queued_bytes"] += written
    return found


def read_sockets(family: int) -> list[bytes]:
    """Return a message for every TCP socket of AF_INET or AF_INET6.

    Raises OSError and NetlinkError.
    """
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _ALL_STATES)
    return netlink_socket.dump(netlink.SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, body)
