"""A block of the spool: what it is (JSON), what it holds (bytes), a checksum over both.

Pure: bytes in, blocks out. A block that was cut short or damaged is recognised, and
what stands behind it is found again as long as its header is whole::

    magic  4 bytes  "SPL1"
    sizes  2 * u32  of head and body, as they stand here
    crc32  u32      of head and body
    head   JSON     what the writer needs to know of the body
    body   snappy   the records
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple
from zlib import crc32

import cramjam


MAGIC = b"SPL1"
MAX_BYTES = 64 << 20
"""A larger announced size means that we are not looking at a header."""

_HEADER = struct.Struct(">4sIII")
HEADER_BYTES = _HEADER.size


class BlockError(ValueError):
    """The bytes are no whole block."""


class Head(NamedTuple):
    """The sizes of a block and its checksum, as its header has them."""

    head_bytes: int
    body_bytes: int
    checksum: int

    @property
    def size(self) -> int:
        """The bytes of the whole block."""
        return HEADER_BYTES + self.head_bytes + self.body_bytes


def encode_block(head: Mapping[str, Any], body: bytes) -> bytes:
    """Return *body* as a block that *head* describes."""
    described = json.dumps(head, separators=(",", ":")).encode()
    packed = bytes(cramjam.snappy.compress_raw(body))
    checksum = crc32(packed, crc32(described))
    header = _HEADER.pack(MAGIC, len(described), len(packed), checksum)
    return b"".join((header, described, packed))


def parse_header(data: bytes) -> Head:
    """Return what the first `HEADER_BYTES` say; BlockError if they are no header."""
    if len(data) < HEADER_BYTES:
        raise BlockError(f"expected {HEADER_BYTES} bytes of header, got {len(data)}")
    magic, head_bytes, body_bytes, checksum = _HEADER.unpack_from(data)
    if magic != MAGIC or head_bytes + body_bytes > MAX_BYTES:
        raise BlockError(f"expected {MAGIC!r} and two sizes, got {data[:12]!r}")
    return Head(head_bytes, body_bytes, checksum)


def check(header: Head, content: bytes) -> None:
    """Raise BlockError unless *content*, what follows the header, is whole."""
    expected = header.head_bytes + header.body_bytes
    if len(content) != expected:
        raise BlockError(f"expected {expected} bytes, got {len(content)}")
    if crc32(content) != header.checksum:
        raise BlockError("the checksum does not fit")


def decode_head(header: Head, content: bytes) -> dict[str, Any]:
    """Return the head of a block that was checked; BlockError if it is no map."""
    try:
        head = json.loads(content[: header.head_bytes])
    except ValueError as error:
        raise BlockError(f"the head is no JSON: {error}") from error
    if not isinstance(head, dict):
        raise BlockError("the head is no map")
    return head


def decode_body(header: Head, content: bytes) -> bytes:
    """Return the body of a block that was checked; BlockError if it is no snappy."""
    try:
        return bytes(cramjam.snappy.decompress_raw(content[header.head_bytes :]))
    except cramjam.DecompressionError as error:
        raise BlockError(f"the body is no snappy: {error}") from error
