"""Ask the kernel over netlink, never longer than the scrape waits (netlink(7)).

Counterpart of mdlayher/netlink's Conn.Execute, which waits for ever.
"""

from __future__ import annotations

import errno
import socket
import time

from exporters.node import deadline
from exporters.node.network.netlink import Answer, Incomplete, request


_TIMEOUT_SECONDS = 10.0
_RECEIVE_BYTES = 65_536  # the kernel fills at most 32 KiB a datagram, as a rule
_MOST_BYTES = 1 << 20
# Where containers start all the time every second dump of the links is torn; a dump
# takes milliseconds.
_ATTEMPTS = 30


def dump(protocol: int, message_type: int, body: bytes) -> list[bytes]:
    """Return the payloads of everything that the kernel has of *message_type*.

    *body* is the request without netlink's header. Raises OSError (TimeoutError past
    ten seconds in all, or past the scrape's deadline) and NetlinkError. A dump that is
    torn, truncated or lost in part is asked for again.
    """
    return _exchange(protocol, message_type, body, everything=True)


def ask(protocol: int, message_type: int, body: bytes) -> list[bytes]:
    """Return the payloads that answer one question; otherwise as :func:`dump`."""
    return _exchange(protocol, message_type, body, everything=False)


def _exchange(
    protocol: int, message_type: int, body: bytes, *, everything: bool
) -> list[bytes]:
    patience = min(_TIMEOUT_SECONDS, deadline.seconds_left())
    until = time.monotonic() + patience
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    for attempt in range(_ATTEMPTS):
        datagram = request(message_type, body, attempt + 1, everything=everything)
        # A socket of its own: what an unfinished dump left behind is gone with it.
        with socket.socket(socket.AF_NETLINK, kind, protocol) as connection:
            connection.bind((0, 0))
            connection.send(datagram)
            try:
                return _receive(connection, attempt + 1, until)
            except Incomplete:
                continue
    raise OSError(errno.EINTR, f"netlink: no complete answer in {_ATTEMPTS} attempts")


def _receive(connection: socket.socket, sequence: int, until: float) -> list[bytes]:
    """Return the payloads of the answer.

    *sequence* counts the attempts: each one has twice the room, up to a limit.
    """
    answer = Answer(sequence)
    room = min(_RECEIVE_BYTES << (sequence - 1), _MOST_BYTES)
    while not answer.done:
        remaining = until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError(errno.ETIMEDOUT, "netlink: no answer in time")
        connection.settimeout(remaining)
        try:
            datagram, _, flags, (port, _) = connection.recvmsg(room)
        except OSError as error:
            if error.errno == errno.ENOBUFS:  # the kernel had to drop some
                raise Incomplete from error
            raise
        if port != 0:  # not from the kernel: any process may send to a bound socket
            continue
        if flags & socket.MSG_TRUNC:
            raise Incomplete
        answer.feed(datagram)
    return answer.payloads
