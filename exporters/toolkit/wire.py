"""The few shapes of the protobuf wire format that an exposition needs.

Upstream counterpart: google.golang.org/protobuf ``encoding/protowire``. The library of
Google takes 2.6 MiB of memory at its first use, and these lines are enough.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator


VARINT, FIXED64, LENGTH = 0, 1, 2
Field = tuple[int, int | bytes]

_DOUBLE = struct.Struct("<d")


def varint(value: int) -> bytes:
    """Return *value*, which is not negative or a negative int64, as a varint."""
    if 0 <= value < 0x80:
        return bytes((value,))
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def block(number: int, content: bytes) -> bytes:
    """Return field *number* with a length: a message, a text."""
    return bytes((number << 3 | LENGTH,)) + varint(len(content)) + content


def whole(number: int, value: int) -> bytes:
    """Return field *number* as a whole number."""
    return bytes((number << 3 | VARINT,)) + varint(value)


def double(number: int, value: float) -> bytes:
    """Return field *number* as a float of 64 bits."""
    return bytes((number << 3 | FIXED64,)) + _DOUBLE.pack(value)


def read_varint(data: bytes, place: int) -> tuple[int, int]:
    """Return the number at *place* and where it ends; raises IndexError at the end."""
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def fields(data: bytes) -> Iterator[Field]:
    """Return the fields of a message that this module wrote: numbers and values.

    A double comes as its 8 bytes.
    """
    place = 0
    while place < len(data):
        tag, place = read_varint(data, place)
        if tag & 7 == VARINT:
            value, place = read_varint(data, place)
            yield tag >> 3, value
            continue
        length, place = (8, place) if tag & 7 == FIXED64 else read_varint(data, place)
        yield tag >> 3, data[place : place + length]
        place += length


def read_double(data: bytes) -> float:
    """Return the number in the 8 bytes *data*."""
    value: float = _DOUBLE.unpack(data)[0]
    return value
