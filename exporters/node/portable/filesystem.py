"""Size and state of mounted file systems (collector/filesystem_bsd.go, _macos.go)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import psutil

from exporters.node.call_pool import CallPool, Stuck
from exporters.node.collectors import filesystem
from exporters.node.collectors.filesystem import (
    FS_TYPES_EXCLUDE,
    MOUNT_POINTS_EXCLUDE,
)
from exporters.node.deadline import patience
from exporters.node.errno_text import error_text
from exporters.node.portable import system
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


Usage = Mapping[str, int]
"""Bytes and inodes by the family's name; Windows has no inodes."""

# What is left out by default: mount points, types.
_EXCLUDED = {
    "linux": (MOUNT_POINTS_EXCLUDE.default, FS_TYPES_EXCLUDE.default),
    "netbsd": (r"^/(dev)($|/)", "^(kernfs|procfs|ptyfs|fdesc)$"),
    "win32": ("", ""),
}
_EXCLUDED_ELSEWHERE = (r"^/(dev)($|/)", "^devfs$")
_HELP = {
    "size_bytes": "Filesystem size in bytes.",
    "free_bytes": "Filesystem free space in bytes.",
    "avail_bytes": "Filesystem space available to non-root users in bytes.",
    "files": "Filesystem total file nodes.",
    "files_free": "Filesystem total free file nodes.",
    "readonly": "Filesystem read-only status.",
    "device_error": (
        "Whether an error occurred while getting statistics for the given device."
    ),
}
_LABELS = ("device", "mountpoint", "fstype", "device_error")
_STUCK_TEXT = "mountpoint timeout"


def create(context: Context) -> Collect:
    """Return the collector. Raises StartError for contradicting filters."""
    values = context.values
    mount_points = filesystem.mount_point_filter(values)
    fs_types = filesystem.fs_type_filter(values)
    pool: CallPool[Usage] = CallPool(
        read_usage,
        workers=values[filesystem.STAT_WORKERS],
        timeout_seconds=values[filesystem.MOUNT_TIMEOUT],
    )

    def collect() -> Iterator[Metric]:
        mounts = [
            mount
            for mount in psutil.disk_partitions(all=True)
            if not fs_types.ignored(mount.fstype)
            and not mount_points.ignored(mount.mountpoint)
        ]
        outcomes = pool.run((mount.mountpoint for mount in mounts), patience())
        yield from families((mount, outcomes[mount.mountpoint]) for mount in mounts)

    return collect


def read_usage(path: str) -> Usage:
    """Return what the system says of *path*. Raises OSError; may block for ever."""
    if not hasattr(os, "statvfs"):
        usage = psutil.disk_usage(path)
        return {
            "size_bytes": usage.total,
            "free_bytes": usage.free,
            "avail_bytes": usage.free,
        }
    found = os.statvfs(path)
    # What statfs(2), which upstream asks, calls f_bsize off Linux.
    unit = found.f_frsize
    return {
        "size_bytes": found.f_blocks * unit,
        "free_bytes": found.f_bfree * unit,
        "avail_bytes": found.f_bavail * unit,
        "files": found.f_files,
        "files_free": found.f_ffree,
    }


def families(rows: Iterable[tuple[Any, Usage | OSError | Stuck]]) -> Iterator[Metric]:
    """Yield the families; mounts with the same labels count once, the first one."""
    found = {
        name: GaugeMetricFamily(f"node_filesystem_{name}", text, labels=_LABELS)
        for name, text in _HELP.items()
    }
    seen: set[tuple[str, ...]] = set()
    for mount, outcome in rows:
        error = _error_label(outcome)
        labels = (mount.device, mount.mountpoint, mount.fstype, error)
        if labels in seen:
            continue
        seen.add(labels)
        found["device_error"].add_metric(labels, bool(error))
        found["readonly"].add_metric(labels, "ro" in mount.opts.split(","))
        for name, value in _usage(outcome).items():
            found[name].add_metric(labels, value)
    yield from (family for family in found.values() if family)


def _usage(outcome: Usage | OSError | Stuck) -> Usage:
    return {} if isinstance(outcome, (OSError, Stuck)) else outcome


def _error_label(outcome: Usage | OSError | Stuck) -> str:
    if isinstance(outcome, OSError):
        return error_text(outcome)
    return _STUCK_TEXT if isinstance(outcome, Stuck) else ""


_MOUNT_POINTS, _TYPES = _EXCLUDED.get(system.current(), _EXCLUDED_ELSEWHERE)
_REPLACED = {
    MOUNT_POINTS_EXCLUDE.name: replace(MOUNT_POINTS_EXCLUDE, default=_MOUNT_POINTS),
    FS_TYPES_EXCLUDE.name: replace(FS_TYPES_EXCLUDE, default=_TYPES),
}
COLLECTOR = CollectorSpec(
    "filesystem",
    create,
    flags=tuple(_REPLACED.get(flag.name, flag) for flag in filesystem.COLLECTOR.flags),
)
