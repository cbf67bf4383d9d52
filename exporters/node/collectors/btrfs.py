"""Space, commits and devices of btrfs (node_exporter collector/btrfs_linux.go)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence

from exporters.node.apart import Apart, names
from exporters.node.families import Families
from exporters.node.paths import Paths
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.storage import btrfs_ioctl, btrfs_sysfs
from exporters.toolkit.metric import Metric


log = logging.getLogger(__name__)

Labels = Mapping[str, str]

_HELP = {
    "info": "Filesystem information",
    "global_rsv_size_bytes": "Size of global reserve.",
    "commits_total": "The total number of commits that have occurred.",
    "last_commit_seconds": "Duration of the most recent commit, in seconds.",
    "max_commit_seconds": "Duration of the slowest commit, in seconds.",
    "commit_seconds_total": "Sum of the duration of all commits, in seconds.",
    "reserved_bytes": "Amount of space reserved for a data type",
    "used_bytes": "Amount of used space by a layout/data type",
    "size_bytes": "Amount of space allocated for a layout/data type",
    "allocation_ratio": "Data allocation ratio for a layout/data type",
    "device_size_bytes": "Size of a device that is part of the filesystem.",
    "device_unused_bytes": (
        "Unused bytes unused on a device that is part of the filesystem."
    ),
    "device_errors_total": "Errors reported for the device",
}
_COMMIT_MILLISECONDS = {
    "last_commit_ms": "last_commit_seconds",
    "max_commit_ms": "max_commit_seconds",
    "total_commit_ms": "commit_seconds_total",
}


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/fs/btrfs`` and of the ioctls on its mounts."""
    paths = context.paths
    path = paths.sys("fs", "btrfs")

    def collect() -> Iterator[Metric]:
        apart, families = Apart(), Families()
        # The rest is "features" and "debug". Without a file system no mount is asked.
        folders = [name for name in names(path) if "-" in name]
        mounted = _read_mounted(paths) if folders else {}
        for folder in folders:
            found = apart.read(btrfs_sysfs.read, f"{path}/{folder}")
            if found is not None:
                # btrfstune -m parts the two; upstream knows only the first.
                devices = mounted.get(found.uuid) or mounted.get(folder)
                _add_file_system(families, found, devices)
        yield from families
        apart.raise_first()

    return collect


def _read_mounted(paths: Paths) -> Mapping[str, Sequence[btrfs_ioctl.Device]]:
    try:
        return btrfs_ioctl.read_mounted(paths)
    except (OSError, ValueError) as error:
        problem = "Error querying btrfs device stats with ioctl"
        log.debug("%s", problem, extra={"fields": {"err": error}})
        return {}


def _add_file_system(
    families: Families,
    found: btrfs_sysfs.FileSystem,
    devices: Sequence[btrfs_ioctl.Device] | None,
) -> None:
    labels = {"uuid": found.uuid}
    _add(families, "info", 1, {**labels, "label": found.label})
    _add(families, "global_rsv_size_bytes", found.global_reserve, labels)
    _add(families, "commits_total", found.commits.get("commits", 0), labels)
    for key, name in _COMMIT_MILLISECONDS.items():
        _add(families, name, float(found.commits.get(key, 0)) / 1000, labels)
    _add_spaces(families, found, labels)
    if devices is None:
        for device, size in found.device_sizes.items():
            _add(families, "device_size_bytes", size, {**labels, "device": device})
    else:
        _add_devices(families, devices, labels)


def _add_spaces(
    families: Families, found: btrfs_sysfs.FileSystem, labels: Labels
) -> None:
    for kind, space in found.spaces.items():
        of_kind = {**labels, "block_group_type": kind}
        _add(families, "reserved_bytes", space.reserved, of_kind)
        for profile, layout in space.layouts.items():
            own = {**of_kind, "mode": profile}
            _add(families, "used_bytes", layout.used, own)
            _add(families, "size_bytes", layout.size, own)
            _add(families, "allocation_ratio", layout.ratio, own)


def _add_devices(
    families: Families, devices: Sequence[btrfs_ioctl.Device], labels: Labels
) -> None:
    for info, errors in devices:
        # As sysfs has it: /dev/sda -> sda.
        device = os.path.basename(info.path)
        own = {**labels, "device": device, "btrfs_dev_uuid": info.uuid}
        # One that shrinks has less than is used for a moment: not 16 EiB.
        unused = max(0, info.size_bytes - info.used_bytes)
        _add(families, "device_size_bytes", info.size_bytes, own)
        _add(families, "device_unused_bytes", unused, own)
        for kind, count in errors._asdict().items():
            _add(families, "device_errors_total", count, {**own, "type": kind})


def _add(families: Families, name: str, value: float, labels: Labels) -> None:
    families.named(f"node_btrfs_{name}", _HELP[name], value, labels)


COLLECTOR = CollectorSpec("btrfs", create)
