"""Space and commits of btrfs in sysfs (procfs btrfs/get.go).

The kernel's side is fs/btrfs/sysfs.c.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import NamedTuple

from exporters.node import procfs, sysfs
from exporters.node.apart import names


class Layout(NamedTuple):
    """Block groups of one profile, in bytes; *ratio* is what a byte takes on disks."""

    used: int
    size: int
    ratio: float


class Space(NamedTuple):
    """What is reserved for a type of data, and its block groups by profile."""

    reserved: int
    layouts: Mapping[str, Layout]


class FileSystem(NamedTuple):
    """One mounted btrfs; sizes in bytes."""

    uuid: str
    label: str
    global_reserve: int
    spaces: Mapping[str, Space]
    commits: Mapping[str, int]
    device_sizes: Mapping[str, int]


SPACES = ("data", "metadata", "system")
_COPIES = {
    "single": 1,
    "raid0": 1,
    "dup": 2,
    "raid1": 2,
    "raid10": 2,
    "raid1c3": 3,
    "raid1c4": 4,
}
_PARITIES = {"raid5": 1, "raid6": 2}
_SECTOR_BYTES = 512
_UINT64_MAX = 2**64 - 1


def read(path: str) -> FileSystem:
    """Return the file system at *path*; attributes that are missing are 0.

    Raises OSError and ValueError.
    """
    sizes = {name: _read_size(path, name) for name in names(f"{path}/devices")}
    allocation = f"{path}/allocation"
    commits = procfs.read_optional(f"{path}/commit_stats")  # Linux >= 6.0
    return FileSystem(
        # A changed one differs from the folder's name, which is the changed one.
        uuid=sysfs.read_optional(f"{path}/metadata_uuid") or os.path.basename(path),
        label=sysfs.read_optional(f"{path}/label") or "",
        global_reserve=_read_number(f"{allocation}/global_rsv_size"),
        spaces={
            name: _read_space(f"{allocation}/{name}", len(sizes)) for name in SPACES
        },
        commits=parse_commits(commits or b""),
        device_sizes=sizes,
    )


def _read_size(path: str, device: str) -> int:
    return _SECTOR_BYTES * _read_number(f"{path}/devices/{device}/size")


def _read_space(path: str, devices: int) -> Space:
    """Return the space at *path*, an empty one where it is not there.

    A file system made with ``--mixed`` has no data and no metadata.
    """
    try:
        with os.scandir(path) as entries:
            profiles = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        if path.endswith("/system"):  # every btrfs has it: this one is going away
            raise
        return Space(0, {})
    layouts = {name: _read_layout(path, name, devices) for name in profiles}
    return Space(_read_number(f"{path}/bytes_reserved"), layouts)


def _read_layout(path: str, profile: str, devices: int) -> Layout:
    return Layout(
        used=_read_number(f"{path}/{profile}/used_bytes"),
        size=_read_number(f"{path}/{profile}/total_bytes"),
        ratio=allocation_ratio(profile, devices),
    )


def _read_number(path: str) -> int:
    return parse_number(sysfs.read_optional(path) or "")


def parse_number(text: str) -> int:
    """Return *text* as upstream does: 0 for what is no number. Never raises."""
    if not text.isascii() or not text.isdigit():
        return 0
    return int(text) if len(text) < 20 else min(int(text[:64]), _UINT64_MAX)


def allocation_ratio(profile: str, devices: int) -> float:
    """Return how many bytes of disks a byte takes; 0 for an unknown *profile*."""
    parities = _PARITIES.get(profile)
    if parities is None:
        return _COPIES.get(profile, 0)
    data = devices - parities
    return devices / data if data else math.inf  # as Go divides


def parse_commits(data: bytes) -> dict[str, int]:
    """Return ``commit_stats``; its times are milliseconds. Raises ValueError."""
    found: dict[str, int] = {}
    for number, line in procfs.lines(data):
        fields = line.split()
        if len(fields) != 2:
            raise ValueError(
                f"commit_stats:{number}: expected a name and a value, got {line[:60]!r}"
            )
        found[procfs.text(fields[0])] = procfs.parse_uint(fields[1])
    return found
