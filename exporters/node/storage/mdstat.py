"""The arrays of ``/proc/mdstat`` (procfs mdstat.go; drivers/md/md.c md_seq_show).

An array is a line with its name, state, personality and disks, a line with its size,
and one with the progress of what is being done to it, before or after the bitmap's::

    md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]
          195310144 blocks [2/1] [U_]
          [=>...................]  recovery =  8.5% (16775552/195310144) finish=17.0min
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from exporters.node import procfs


class Array(NamedTuple):
    """One array. Blocks are of 1 KiB; *state* is active, inactive, or what is done."""

    name: str
    state: str
    disks_required: int
    disks_active: int
    disks_failed: int
    disks_spare: int
    blocks: int
    blocks_synced: int


class _Disks(NamedTuple):
    required: int
    active: int


_LINES = 4
_OTHER_LINES = (b"Personalities :", b"unused")
_STATUS = re.compile(rb"[0-9]+ blocks .*\[([0-9]+)/([0-9]+)\] \[[U_]+\]")
# What is being done, by the word that the kernel has for it; the first one counts.
_ACTIONS = (
    (b"recovery", "recovering"),
    (b"reshape", "reshape"),
    (b"check", "check"),
    (b"resync", "resync"),
)
# Not begun: it waits for another array, for a write, or another node does it.
_WAITING = (b"DELAYED", b"PENDING", b"REMOTE")
_PROGRESS = re.compile(rb"\(([0-9]+)/[0-9]+\)")


def sections(data: bytes) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield the number of the first line of each array, and its lines."""
    lines = data.split(b"\n")
    for index, line in enumerate(lines):
        is_indented = not line.strip() or line[:1].isspace()
        if not is_indented and not line.startswith(_OTHER_LINES):
            yield index + 1, lines[index : index + _LINES]


def parse(lines: Sequence[bytes]) -> Array:
    """Return the array that *lines*, a section, describe. Raises ValueError."""
    header = lines[0].split()
    if len(header) < 3:
        raise ValueError(f"expected 'name : state ...', got {lines[0][:60]!r}")
    if len(lines) < _LINES:
        raise ValueError(f"expected {_LINES} lines of an array, got {len(lines)}")
    blocks = _blocks(lines[1])
    disks = _disks(header, lines[1])
    done = _action(lines[3] if b"bitmap" in lines[2] else lines[2])
    state, synced = done or (procfs.text(header[2]), blocks)
    return Array(
        procfs.text(header[0]),
        state,
        *disks,
        lines[0].count(b"(F)"),
        lines[0].count(b"(S)"),
        blocks,
        synced,
    )


def _blocks(line: bytes) -> int:
    words = line.split()
    if not words:  # an array that has lost all its disks
        raise ValueError("expected a line with the number of blocks, got none")
    return procfs.parse_uint(words[0])


def _disks(header: Sequence[bytes], status: bytes) -> _Disks:
    """Return how many disks there have to be and are.

    Without redundancy the kernel does not say: then all are there.
    """
    if any(word in {b"raid0", b"linear"} for word in header[3:5]):
        disks = sum(word.count(b"[") for word in header)
        return _Disks(disks, disks)
    if header[2] == b"inactive":
        return _Disks(0, 0)
    found = _STATUS.search(status)
    if found is None:
        raise ValueError(f"expected 'N blocks ... [N/N] [UU]', got {status[:80]!r}")
    return _Disks(procfs.parse_uint(found[1]), procfs.parse_uint(found[2]))


def _action(line: bytes) -> tuple[str, int] | None:
    """Return what is being done to the array, and how many blocks are through."""
    state = next((state for word, state in _ACTIONS if word in line), None)
    if state is None:
        return None
    if any(word in line for word in _WAITING):
        return state, 0
    found = _PROGRESS.search(line)
    if found is None:
        raise ValueError(f"expected '(done/all)' of a {state}, got {line[:80]!r}")
    return state, procfs.parse_uint(found[1])
