"""IP addresses as Go prints and classifies them (Go's net/ip.go)."""

from __future__ import annotations

import socket
import struct


_MAPPED = bytes(10) + b"\xff\xff"  # IPv4 inside IPv6: Go takes it for IPv4
_COMPATIBLE = bytes(12)
_NOT_UNICAST4 = frozenset({bytes(4), b"\xff\xff\xff\xff"})
_LOOPBACK6 = bytes(15) + b"\1"
_LAST_WORDS = struct.Struct(">HH")


def text(packed: bytes) -> str:
    """Return the address of 4 or 16 bytes as text. Raises ValueError for another size.

    What Linux's inet_ntop gives, but for ``::1.2.3.4``, which Go prints as a number.
    """
    packed = _shortest(packed)
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    shown = socket.inet_ntop(socket.AF_INET6, packed)
    if "." in shown:
        high, low = _LAST_WORDS.unpack_from(packed, len(_COMPATIBLE))
        return f"::{high:x}:{low:x}"
    return shown


def scope(packed: bytes) -> str:
    """Return link-local (loopback too), interface-local, global, or nothing.

    The names are node_exporter's, the classes Go's net.IP.
    """
    packed = _shortest(packed)
    return _scope4(packed) if len(packed) == 4 else _scope6(packed)


def _shortest(packed: bytes) -> bytes:
    is_mapped = len(packed) == 16 and packed.startswith(_MAPPED)
    return packed[len(_MAPPED) :] if is_mapped else packed


def _scope4(packed: bytes) -> str:
    if packed[0] == 127 or packed[:2] == b"\xa9\xfe" or packed[:3] == b"\xe0\0\0":
        return "link-local"
    is_unicast = packed[0] & 0xF0 != 0xE0 and packed not in _NOT_UNICAST4
    return "global" if is_unicast else ""


def _scope6(packed: bytes) -> str:
    prefix = int.from_bytes(packed[:2], "big")
    if packed == _LOOPBACK6 or prefix & 0xFFC0 == 0xFE80 or prefix & 0xFF0F == 0xFF02:
        return "link-local"
    if prefix & 0xFF0F == 0xFF01:
        return "interface-local"
    is_unicast = packed[0] != 0xFF and any(packed)
    return "global" if is_unicast else ""
