"""Netlink's bytes: requests, multipart answers, attributes (RFC 3549, linux/netlink.h).

Counterpart of mdlayher/netlink as far as node_exporter uses it. Nothing is read here:
:mod:`exporters.node.network.netlink_socket` does.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple


ROUTE, SOCK_DIAG, GENERIC = 0, 4, 16
"""The protocols (NETLINK_*) that collectors speak."""

NESTED = 0x8000
"""Set in the type of an attribute that holds attributes (NLA_F_NESTED)."""

_NLMSG_NOOP, _NLMSG_ERROR, _NLMSG_DONE, _NLMSG_OVERRUN = 1, 2, 3, 4
_NLM_F_REQUEST = 0x1
_NLM_F_ACK = 0x4
_NLM_F_DUMP_INTR = 0x10
_NLM_F_DUMP = 0x300
_NLA_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_ERROR_CODE = struct.Struct("=i")
_INTEGER_SIZES = frozenset({1, 2, 4, 8})


class NetlinkError(ValueError):
    """Report bytes that are not netlink's."""


class Incomplete(Exception):  # noqa: N818 - a state of the kernel, not a fault
    """Say that something is missing from this answer: it has to be asked for again."""


class Message(NamedTuple):
    """One netlink message; *flags* are NLM_F_*, *payload* is without the header."""

    type: int
    flags: int
    sequence: int
    payload: bytes


def request(
    message_type: int, body: bytes, sequence: int, *, everything: bool
) -> bytes:
    """Return the datagram that asks for one thing, or for *everything* of a type."""
    flags = _NLM_F_REQUEST | (_NLM_F_DUMP if everything else _NLM_F_ACK)
    length = _HEADER.size + len(body)
    return _HEADER.pack(length, message_type, flags, sequence, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute, padded for the next one."""
    length = _ATTRIBUTE.size + len(value)
    padding = bytes(aligned(length) - length)
    return _ATTRIBUTE.pack(length, kind) + value + padding


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
        offset += aligned(length)


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
        offset += aligned(length)
    if offset < end:
        raise NetlinkError(f"netlink: {end - offset} bytes left of an attribute")


def find_attributes(
    data: bytes, offset: int, wanted: frozenset[int]
) -> dict[int, bytes]:
    """Return those attributes of *data* from *offset* on that are *wanted*, by type.

    As :func:`parse_attributes`, and half as long for the 3 of 40 that tell of a link's
    counters. Raises NetlinkError.
    """
    found: dict[int, bytes] = {}
    end = len(data)
    unpack, size = _ATTRIBUTE.unpack_from, _ATTRIBUTE.size
    while end - offset >= size:
        length, kind = unpack(data, offset)
        if not size <= length <= end - offset:
            raise NetlinkError(f"netlink: attribute at {offset} claims {length} bytes")
        kind &= _NLA_TYPE_MASK
        if kind in wanted:
            found[kind] = data[offset + size : offset + length]
        offset += (length + 3) & ~3
    if offset < end:
        raise NetlinkError(f"netlink: {end - offset} bytes left of an attribute")
    return found


def integer(value: bytes) -> int:
    """Return the unsigned integer that an attribute holds. Raises NetlinkError."""
    if len(value) not in _INTEGER_SIZES:
        raise NetlinkError(f"netlink: integer of {len(value)} bytes")
    return int.from_bytes(value, sys.byteorder)


def text(value: bytes) -> str:
    """Return the text that an attribute holds: up to the first NUL, if there is one."""
    return value.partition(b"\0")[0].decode("utf-8", "replace")


class Answer:
    """The answer to one request, fed datagram by datagram."""

    def __init__(self, sequence: int) -> None:
        self._sequence = sequence
        self._interrupted = False
        self.payloads: list[bytes] = []
        self.done = False

    def feed(self, datagram: bytes) -> None:
        """Take one datagram; sets :attr:`done` at the end of the answer.

        Raises OSError with the kernel's errno, NetlinkError for rubbish and
        Incomplete when the kernel says that the answer is torn or has lost something.
        Messages with another sequence number are left over from someone else: ignored.
        """
        for message in parse_messages(datagram):
            if message.sequence == self._sequence and not self.done:
                self._take(message)

    def _take(self, message: Message) -> None:
        self._interrupted |= bool(message.flags & _NLM_F_DUMP_INTR)
        if message.type in {_NLMSG_ERROR, _NLMSG_DONE}:
            self._finish(message)
        elif message.type == _NLMSG_OVERRUN:
            raise Incomplete
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
            raise Incomplete


def aligned(length: int) -> int:
    """Return where the next message, attribute or next hop begins."""
    return (length + 3) & ~3
