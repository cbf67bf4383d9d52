"""Read what NFS mounts count: ``/proc/<pid>/mountstats`` (procfs mountstats.go).

The kernel's side is fs/nfs/super.c nfs_show_stats and net/sunrpc/stats.c. Every mount
has a line "device ..."; below that of an NFS mount are its statistics.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from exporters.node import procfs


Line = tuple[int, list[bytes]]
"""The number of a line and its words."""

BYTES = 8
EVENTS = 27
OPERATION_NUMBERS = 8

TRANSPORT = 13
_RDMA_LEAST = 20
# (version, protocol) -> where its numbers stand among those of TCP 1.1; UDP has no
# connections (2-4), 1.0 and RDMA have no queues (10-12). What a transport lacks is 0.
_POSITIONS = {
    (b"1.0", b"tcp"): [*range(10)],
    (b"1.0", b"udp"): [0, 1, *range(5, 10)],
    (b"1.1", b"tcp"): [*range(TRANSPORT)],
    (b"1.1", b"udp"): [0, 1, *range(5, TRANSPORT)],
    (b"1.1", b"rdma"): [*range(10)],  # its own follow and are not kept
}
_DEVICE_WORDS = ((2, b"mounted"), (3, b"on"), (5, b"with"), (6, b"fstype"))
_DEVICE_LENGTH = 8
_NFS = frozenset({b"nfs", b"nfs4"})


class Transport(NamedTuple):
    """One connection: its protocol and its numbers in the order of TCP 1.1."""

    protocol: str
    numbers: list[int]


class Operation(NamedTuple):
    """One kind of call and its numbers, times in milliseconds."""

    name: str
    numbers: list[int]


@dataclass(slots=True)
class Mount:
    """One mount. *is_nfs* says whether it has statistics at all."""

    device: str
    mount_point: str
    is_nfs: bool
    age_seconds: int = 0
    bytes: list[int] = field(default_factory=lambda: [0] * BYTES)
    events: list[int] = field(default_factory=lambda: [0] * EVENTS)
    transports: list[Transport] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)


def blocks(data: bytes) -> Iterator[list[Line]]:
    """Yield the lines of each mount, its "device" line first. Never raises."""
    block: list[Line] = []
    for number, line in procfs.lines(data):
        words = line.split()
        if words[0] == b"device":
            if block:
                yield block
            block = [(number, words)]
        elif block:
            block.append((number, words))
    if block:
        yield block


def parse(block: list[Line]) -> Mount:
    """Return the mount of a *block* of lines. Raises ValueError naming the line."""
    (number, words), *rest = block
    if len(words) < _DEVICE_LENGTH or any(words[i] != w for i, w in _DEVICE_WORDS):
        raise ValueError(
            f"line {number}: expected 'device D mounted on M with fstype T',"
            f" got {b' '.join(words)[:60]!r}"
        )
    mount = Mount(
        procfs.text(words[1]), procfs.text(words[4]), len(words) > _DEVICE_LENGTH
    )
    if mount.is_nfs:
        if words[7] not in _NFS:
            raise ValueError(f"line {number}: no statistics known of {words[7]!r}")
        _parse_statistics(mount, words[8].removeprefix(b"statvers="), rest)
    return mount


def _parse_statistics(mount: Mount, version: bytes, lines: list[Line]) -> None:
    in_operations = False
    for number, (key, *words) in lines:
        try:
            if in_operations:
                mount.operations.append(_operation(key, words))
            elif key == b"age:":
                mount.age_seconds = procfs.parse_uint(b" ".join(words))
            elif key == b"bytes:":
                mount.bytes = _numbers(words, BYTES)
            elif key == b"events:":
                mount.events = _numbers(words, EVENTS)
            elif key == b"xprt:":
                mount.transports.append(_transport(version, words))
            elif key == b"per-op":
                in_operations = True
        except ValueError as error:
            where = f"line {number} ({procfs.text(key)})"
            raise ValueError(f"{where}: {error}") from error


def _numbers(words: list[bytes], count: int) -> list[int]:
    if len(words) != count:
        raise ValueError(f"expected {count} numbers, got {len(words)}")
    return [procfs.parse_uint(word) for word in words]


def _operation(key: bytes, words: list[bytes]) -> Operation:
    if len(words) < OPERATION_NUMBERS:
        raise ValueError(f"expected {OPERATION_NUMBERS} numbers, got {len(words)}")
    # A ninth, of errors, came with Linux 5.3.
    numbers = [procfs.parse_uint(word) for word in words]
    return Operation(procfs.text(key.removesuffix(b":")), numbers[:OPERATION_NUMBERS])


def _transport(version: bytes, words: list[bytes]) -> Transport:
    protocol, *rest = words or [b""]
    positions = _POSITIONS.get((version, protocol))
    if positions is None:
        raise ValueError(
            f"expected a transport of version 1.0 or 1.1, got {protocol[:60]!r} of"
            f" {version[:60]!r}"
        )
    if protocol == b"rdma":
        if len(rest) < _RDMA_LEAST:
            raise ValueError(
                f"expected at least {_RDMA_LEAST} numbers, got {len(rest)}"
            )
        rest = rest[: len(positions)]
    numbers = [0] * TRANSPORT
    for position, number in zip(positions, _numbers(rest, len(positions)), strict=True):
        numbers[position] = number
    return Transport(procfs.text(protocol), numbers)
