"""Accepted lines of a container as bytes, for the spool. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from zlib import crc32

from shipper.docker.run import BEFORE_MARK, Run
from shipper.pipeline.entry import Entry


Record = tuple[int, Entry, int]
"""A stream (`shipper.docker.frames`), a line of it, the checksum to depart with."""

_HEADER = struct.Struct(">BqI")
_pack = _HEADER.pack

_BEFORE_MARK_BIT = 0x80

RECORD_COST_BYTES = 200
"""What a record costs in memory beside its line."""


def records(runs: Iterable[Run]) -> list[Record]:
    """Return the lines of *runs* that are not done."""
    return [(run.stream, entry, checksum) for run in runs for entry, checksum in run]


def pack(records: Iterable[Record]) -> bytes:
    """Return *records* as bytes, one behind the other."""
    parts: list[bytes] = []
    for stream, (timestamp_ns, line, _), checksum in records:
        kind = stream | _BEFORE_MARK_BIT if checksum == BEFORE_MARK else stream
        parts += (_pack(kind, timestamp_ns, len(line)), line)
    return b"".join(parts)


def unpack(data: bytes) -> Iterator[Record]:
    """Yield the records in *data*, which `pack` made."""
    at = 0
    while at < len(data):
        kind, timestamp_ns, size = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        line = data[at : at + size]
        at += size
        before = kind & _BEFORE_MARK_BIT
        checksum = BEFORE_MARK if before else crc32(line)
        yield kind & ~_BEFORE_MARK_BIT, Entry(timestamp_ns, line), checksum
