"""Read the counters of the kernel's NFS client and server (procfs nfs/parse*.go).

``/proc/net/rpc/nfs`` and ``nfsd`` (kernel net/sunrpc/stats.c, fs/nfsd/stats.c) hold one
line for each group of counters: a key and numbers. The procedures of NFSv2 and v3 are
the same on both sides, those of NFSv4 are not: there the client counts its calls and
the server the operations inside of them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exporters.node import procfs


log = logging.getLogger(__name__)

# Upstream's names, in the order in which the kernel counts (include/uapi/linux/nfs*.h).
_V2_NAMES = (
    "Null GetAttr SetAttr Root Lookup ReadLink Read WrCache Write Create Remove Rename"
    " Link SymLink MkDir RmDir ReadDir FsStat"
)
_V3_NAMES = (
    "Null GetAttr SetAttr Lookup Access ReadLink Read Write Create MkDir SymLink MkNod"
    " Remove RmDir Rename Link ReadDir ReadDirPlus FsStat FsInfo PathConf Commit"
)
V2_PROCEDURES = _V2_NAMES.split()
V3_PROCEDURES = _V3_NAMES.split()


class Shape(NamedTuple):
    """How many numbers a line holds.

    *size* is how many are wanted, *least* how many there must be and *most* how many
    there may be. A *counted* line says first how many numbers follow. Where there are
    fewer than wanted, as older kernels print, the rest is 0.
    """

    size: int
    least: int
    most: int | None = None
    counted: bool = False


def exactly(size: int) -> Shape:
    """Return the shape of a line of *size* numbers."""
    return Shape(size, size, size)


def counted(size: int, least: int, most: int | None = None) -> Shape:
    """Return the shape of a line that says itself how long it is."""
    return Shape(size, least, most, counted=True)


def parse(data: bytes, shapes: Mapping[bytes, Shape]) -> dict[bytes, Sequence[int]]:
    """Return the numbers of every line in *shapes*, zeros for one that is not there.

    A line with another key is left out: kernels add some, as 6.6 did with
    wdeleg_getattr, and the known counters are no worse for it. Raises ValueError.
    """
    found: dict[bytes, Sequence[int]] = {
        key: (0,) * shape.size for key, shape in shapes.items()
    }
    for number, line in procfs.lines(data):
        key, *fields = line.split()
        if not fields:
            raise ValueError(f"line {number}: expected 'key N ...', got {line[:60]!r}")
        if key not in shapes:
            log.debug("unknown NFS line", extra={"fields": {"key": procfs.text(key)}})
            continue
        try:
            found[key] = _numbers(fields, shapes[key])
        except ValueError as error:
            raise ValueError(f"line {number} ({procfs.text(key)}): {error}") from error
    return found


def _numbers(fields: list[bytes], shape: Shape) -> list[int]:
    if shape.counted:
        length = procfs.parse_uint(fields[0])
        if length != len(fields) - 1:
            raise ValueError(f"expected {length} numbers, got {len(fields) - 1}")
        fields = fields[1:]
    if len(fields) < shape.least:
        raise ValueError(f"expected at least {shape.least} numbers, got {len(fields)}")
    if shape.most is not None and len(fields) > shape.most:
        raise ValueError(f"expected at most {shape.most} numbers, got {len(fields)}")
    numbers = [procfs.parse_uint(field) for field in fields[: shape.size]]
    return numbers + [0] * (shape.size - len(numbers))
