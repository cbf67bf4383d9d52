"""Netlink's bytes as the kernel writes them, without the code under test."""

from __future__ import annotations

import struct


HEADER = struct.Struct("=IHHII")
NEWLINK, ERROR, DONE, OVERRUN = 16, 2, 3, 4
MULTI, INTERRUPTED = 0x2, 0x10
NESTED = 0x8000


def message(
    kind: int, payload: bytes = b"", *, flags: int = MULTI, sequence: int = 7
) -> bytes:
    """Return one message with its padding."""
    length = HEADER.size + len(payload)
    padding = bytes(-length % 4)
    return HEADER.pack(length, kind, flags, sequence, 0) + payload + padding


def done(code: int = 0, *, sequence: int = 7) -> bytes:
    """Return the message that ends a dump."""
    return message(DONE, struct.pack("=i", code), sequence=sequence)


def attribute(kind: int, *values: bytes) -> bytes:
    """Return one attribute; several *values* are attributes inside it."""
    value = b"".join(values)
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


def u8(kind: int, value: int) -> bytes:
    """Return an attribute of one byte."""
    return attribute(kind, struct.pack("=B", value))


def u16(kind: int, value: int) -> bytes:
    """Return an attribute of two bytes."""
    return attribute(kind, struct.pack("=H", value))


def u32(kind: int, value: int) -> bytes:
    """Return an attribute of four bytes."""
    return attribute(kind, struct.pack("=I", value))


def u64(kind: int, value: int) -> bytes:
    """Return an attribute of eight bytes."""
    return attribute(kind, struct.pack("=Q", value))


def text(kind: int, value: str) -> bytes:
    """Return an attribute with a text and its NUL."""
    return attribute(kind, value.encode() + b"\0")
