"""File systems and devices of bcachefs in sysfs (procfs bcachefs/get.go).

The kernel's side is fs/bcachefs/sysfs.c; its texts are made for people, in columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.storage.hprint import parse_bcachefs


class Compression(NamedTuple):
    """How much one algorithm holds, in bytes."""

    compressed: int
    uncompressed: int


class BtreeWrites(NamedTuple):
    """How often btree nodes were written for one reason, and how large on average."""

    writes: int
    size_bytes: int


class Device(NamedTuple):
    """One device of a file system."""

    label: str
    state: str
    bucket_size_bytes: int
    buckets: int
    durability: int
    done_bytes: Mapping[tuple[str, str], int]  # ("read" or "write", type of data)
    errors: Mapping[str, int]


_SINCE_MOUNT = "since mount:"
_SINCE_CREATION = "since filesystem creation:"
_ERRORS = "IO errors since "
_ERRORS_SINCE_CREATION = "IO errors since filesystem creation"


def read_device(path: str) -> Device:
    """Return the device at *path*; attributes that are missing are 0 or empty.

    Raises OSError and ValueError.
    """
    bucket_size = _read_line(f"{path}/bucket_size")
    return Device(
        label=_read_line(f"{path}/label"),
        state=_read_line(f"{path}/state"),
        bucket_size_bytes=parse_bcachefs(bucket_size) if bucket_size else 0,
        buckets=_read_count(f"{path}/nbuckets"),
        durability=_read_count(f"{path}/durability"),
        done_bytes=parse_io_done(procfs.read_optional(f"{path}/io_done") or b""),
        errors=parse_io_errors(procfs.read_optional(f"{path}/io_errors") or b""),
    )


def read_size(path: str) -> int:
    """Return the size in the file at *path*, 0 where it is empty or missing.

    Raises OSError and ValueError.
    """
    text = _read_line(path)
    return parse_bcachefs(text) if text else 0


def _read_line(path: str) -> str:
    return procfs.text(procfs.read_optional(path) or b"").strip()


def _read_count(path: str) -> int:
    data = procfs.read_optional(path)
    return 0 if data is None else procfs.parse_uint(data)


def parse_compression(data: bytes) -> dict[str, Compression]:
    """Return ``compression_stats`` by algorithm. Raises ValueError."""
    return {
        name: Compression(parse_bcachefs(compressed), parse_bcachefs(uncompressed))
        for name, compressed, uncompressed in _table(data)
    }


def parse_btree_writes(data: bytes) -> dict[str, BtreeWrites]:
    """Return ``btree_write_stats`` by reason. Raises ValueError."""
    return {
        name: BtreeWrites(procfs.parse_uint(count.encode()), parse_bcachefs(size))
        for name, count, size in _table(data)
    }


def parse_errors(data: bytes) -> dict[str, int]:
    """Return how often each error of ``errors`` was met. Raises ValueError."""
    rows = (line.split() for _, line in procfs.lines(data))
    return {
        procfs.text(row[0]): procfs.parse_uint(row[1]) for row in rows if len(row) > 1
    }


def parse_counter(data: bytes) -> int:
    """Return a file of ``counters``: its value since the file system was made.

    It is 0 where only the one since the mount is there. Raises ValueError.
    """
    value = None
    for line in procfs.text(data).split("\n"):
        if line.startswith(_SINCE_CREATION):
            value = parse_bcachefs(line.removeprefix(_SINCE_CREATION))
        elif line.startswith(_SINCE_MOUNT) and value is None:
            value = 0
    if value is None:
        raise ValueError(f"expected a line {_SINCE_CREATION!r}")
    return value


def parse_io_done(data: bytes) -> dict[tuple[str, str], int]:
    """Return ``io_done`` in bytes by operation and type of data. Raises ValueError."""
    done: dict[tuple[str, str], int] = {}
    operation = ""
    for _, line in procfs.lines(data):
        name, colon, value = procfs.text(line).strip().partition(":")
        if name in {"read", "write"} and colon and not value:
            operation = name
        elif operation and colon:
            done[operation, name.strip()] = procfs.parse_uint(value.encode())
    return done


def parse_io_errors(data: bytes) -> dict[str, int]:
    """Return ``io_errors`` since the file system was made. Raises ValueError."""
    errors: dict[str, int] = {}
    is_wanted = False
    for _, line in procfs.lines(data):
        text = procfs.text(line)
        name, colon, value = text.partition(":")
        if text.startswith(_ERRORS_SINCE_CREATION):
            is_wanted = True
        elif text.startswith(_ERRORS):  # since somebody set them back
            break
        elif is_wanted and colon:
            errors[name.strip()] = procfs.parse_uint(value.encode())
    return errors


def _table(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield the name and the first two values of each row after the heading."""
    for line in procfs.text(data).split("\n")[1:]:
        fields = line.split()
        if len(fields) >= 3:
            yield fields[0].removesuffix(":"), fields[1], fields[2]
