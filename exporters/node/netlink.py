"""Ask the kernel over rtnetlink, sans-IO but for :func:`dump` (RFC 3549, rtnetlink(7)).

Counterpart of mdlayher/netlink and jsimonetti/rtnetlink as far as node_exporter uses
them: one dump request, its multipart answer, the attributes inside.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from collections.abc import Iterator
from typing import NamedTuple


RTM_GETLINK = 18
RTM_GETADDR = 22
RTM_GETNEIGH = 30

_NLMSG_NOOP, _NLMSG_ERROR, _NLMSG_DONE, _NLMSG_OVERRUN = 1, 2, 3, 4
_NLM_F_REQUEST = 0x1
_NLM_F_DUMP_INTR = 0x10
_NLM_F_DUMP = 0x300
_NLA_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_ERROR_CODE = struct.Struct("=i")
_RECEIVE_BYTES = 65_536  # the kernel fills at most 32 KiB a datagram
_ATTEMPTS = 3


class NetlinkError(ValueError):
    """Report bytes that are not netlink's."""


class DumpInterrupted(Exception):  # noqa: N818 - a state of the kernel, not a fault
    """Say that the table changed during the dump, so the answer is not one moment's."""


class Message(NamedTuple):
    """One netlink message; *flags* are NLM_F_*, *payload* is without the header."""

    type: int
    flags: int
    sequence: int
    payload: bytes


def dump_request(message_type: int, body: bytes, sequence: int) -> bytes:
    """Return the datagram that asks for everything of *message_type*."""
    flags = _NLM_F_REQUEST | _NLM_F_DUMP
    length = _HEADER.size + len(body)
    return _HEADER.pack(length, message_type, flags, sequence, 0) + body


def parse_messages(datagram: bytes) -> Iterator[Message]:
    """Yield the messages in *datagram*. Raises NetlinkError."""
    offset = 0
    while offset < len(datagram):
        if len(datagram) - offset < _HEADER.size:
            raise NetlinkError(
                f"netlink: {len(datagram) - offset} bytes left of a header"
            )
        length, kind, flags, sequence, _ = _HEADER.unpack_from(datagram, offset)
        if not _HEADER.size <= length <= len(datagram) - offset:
            raise NetlinkError(f"netlink: message at {offset} claims {length} bytes")
        payload = datagram[offset + _HEADER.size : offset + length]
        yield Message(kind, flags, sequence, payload)
        offset += _aligned(length)


def parse_attributes(data: bytes, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield (type, value) of each attribute of *data* from *offset* on.

    *offset* is the size of the fixed header before them. Raises NetlinkError.
    """
    end = len(data)
    while end - offset >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if not _ATTRIBUTE.size <= length <= end - offset:
            raise NetlinkError(f"netlink: attribute at {offset} claims {length} bytes")
        yield kind & _NLA_TYPE_MASK, data[offset + _ATTRIBUTE.size : offset + length]
        offset += _aligned(length)
    if offset < end:
        raise NetlinkError(f"netlink: {end - offset} bytes left of an attribute")


class Dump:
    """The answer to one dump request, fed datagram by datagram."""

    def __init__(self, sequence: int) -> None:
        self._sequence = sequence
        self._interrupted = False
        self.payloads: list[bytes] = []
        self.done = False

    def feed(self, datagram: bytes) -> None:
        """Take one datagram; sets :attr:`done` at the end of the answer.

        Raises OSError with the kernel's errno, NetlinkError for rubbish and
        DumpInterrupted when the kernel says that the answer is torn. Messages
        with another sequence number are left over from someone else: ignored.
        """
        for message in parse_messages(datagram):
            if message.sequence == self._sequence and not self.done:
                self._take(message)

    def _take(self, message: Message) -> None:
        self._interrupted |= bool(message.flags & _NLM_F_DUMP_INTR)
        if message.type in {_NLMSG_ERROR, _NLMSG_DONE}:
            self._finish(message)
        elif message.type == _NLMSG_OVERRUN:
            raise NetlinkError("netlink: data lost")
        elif message.type != _NLMSG_NOOP:
            self.payloads.append(message.payload)

    def _finish(self, message: Message) -> None:
        if len(message.payload) >= _ERROR_CODE.size:
            code = _ERROR_CODE.unpack_from(message.payload)[0]
            if code < 0:
                raise OSError(-code, os.strerror(-code))
        elif message.type == _NLMSG_ERROR:
            raise NetlinkError("netlink: error message without a code")
        self.done = True
        if self._interrupted:
            raise DumpInterrupted


def dump(message_type: int, body: bytes, timeout_seconds: float = 5.0) -> list[bytes]:
    """Return the payloads of everything that the kernel has of *message_type*.

    *body* is the fixed header of the request. Raises OSError (TimeoutError past
    *timeout_seconds* in all) and NetlinkError. A dump that the kernel calls torn
    is asked for again, at most twice.
    """
    deadline = time.monotonic() + timeout_seconds
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE) as connection:
        connection.bind((0, 0))
        for sequence in range(1, _ATTEMPTS + 1):
            connection.send(dump_request(message_type, body, sequence))
            try:
                return _receive(connection, sequence, deadline)
            except DumpInterrupted:
                continue
    raise OSError(errno.EINTR, "netlink: the table kept changing during the dump")


def _receive(connection: socket.socket, sequence: int, deadline: float) -> list[bytes]:
    answer = Dump(sequence)
    while not answer.done:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError(errno.ETIMEDOUT, "netlink: no answer in time")
        connection.settimeout(remaining)
        datagram, _, flags, (port, _) = connection.recvmsg(_RECEIVE_BYTES)
        if flags & socket.MSG_TRUNC:
            raise NetlinkError("netlink: answer larger than 64 KiB a datagram")
        if port == 0:  # from the kernel: any process may send to a bound socket
            answer.feed(datagram)
    return answer.payloads


def _aligned(length: int) -> int:
    return (length + 3) & ~3
