"""Size and state of mounted file systems (collector/filesystem_linux.go)."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from exporters.node.call_pool import CallPool, Stuck
from exporters.node.deadline import patience
from exporters.node.device_filter import DeviceFilter, log_pattern, renamed
from exporters.node.errno_text import error_text
from exporters.node.paths import Paths
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.storage import mountinfo
from exporters.node.storage.mountinfo import Mount
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Flag, Values, duration, integer, string
from exporters.toolkit.metric import GaugeMetricFamily, Metric


MOUNT_POINTS_EXCLUDE = string(
    "collector.filesystem.mount-points-exclude",
    "Regexp of mount points to exclude for filesystem collector."
    " (mutually exclusive to mount-points-include)",
    default="^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+"
    "|var/lib/containers/storage/.+)($|/)",
)
OLD_MOUNT_POINTS_EXCLUDE = string(
    "collector.filesystem.ignored-mount-points",
    "Regexp of mount points to ignore for filesystem collector.",
    hidden=True,
)
MOUNT_POINTS_INCLUDE = string(
    "collector.filesystem.mount-points-include",
    "Regexp of mount points to include for filesystem collector."
    " (mutually exclusive to mount-points-exclude)",
)
FS_TYPES_EXCLUDE = string(
    "collector.filesystem.fs-types-exclude",
    "Regexp of filesystem types to exclude for filesystem collector."
    " (mutually exclusive to fs-types-include)",
    default="^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs"
    "|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs"
    "|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$",
)
OLD_FS_TYPES_EXCLUDE = string(
    "collector.filesystem.ignored-fs-types",
    "Regexp of filesystem types to ignore for filesystem collector.",
    hidden=True,
)
FS_TYPES_INCLUDE = string(
    "collector.filesystem.fs-types-include",
    "Regexp of filesystem types to include for filesystem collector."
    " (mutually exclusive to fs-types-exclude)",
)
MOUNT_TIMEOUT = duration(
    "collector.filesystem.mount-timeout",
    "how long to wait for a mount to respond before marking it as stale",
    default=5.0,
    hidden=True,
)
STAT_WORKERS = integer(
    "collector.filesystem.stat-workers",
    "how many stat calls to process simultaneously",
    default=4,
    hidden=True,
)

_LABELS = ("device", "mountpoint", "fstype", "device_error")
_STUCK_TEXT = "mountpoint timeout"


class Usage(NamedTuple):
    """What statfs(2) says, in bytes and inodes; field names are the families'."""

    size_bytes: int
    free_bytes: int
    avail_bytes: int
    files: int
    files_free: int
    # macOS only, but upstream shows a 0 for every mount (node_exporter#3206).
    purgeable_bytes: int = 0


_USAGE_HELP = (
    "Filesystem size in bytes.",
    "Filesystem free space in bytes.",
    "Filesystem space available to non-root users in bytes.",
    "Filesystem total file nodes.",
    "Filesystem total free file nodes.",
    "Filesystem space available including purgeable space (MacOS specific).",
)


Outcome = Usage | OSError | Stuck
"""What asking a mount gave."""


class Labels(NamedTuple):
    """The labels of a mount's samples."""

    device: str
    mountpoint: str
    fstype: str
    device_error: str


class Place(NamedTuple):
    """What is the same at each scrape of a mount that stays as it is."""

    path: str
    """As it is reached from here."""
    labels: Labels
    where: tuple[str, str, str, str]
    """The labels of node_filesystem_mount_info."""
    is_read_only: bool


def create(context: Context) -> Collect:
    """Return the collector. Raises StartError for contradicting filters."""
    paths, values = context.paths, context.values
    mount_points = mount_point_filter(values)
    fs_types = fs_type_filter(values)
    pool = CallPool(
        read_usage,
        workers=values[STAT_WORKERS],
        timeout_seconds=values[MOUNT_TIMEOUT],
    )

    @functools.lru_cache(maxsize=2048)  # most mounts are as they were before
    def place_of(mount: Mount) -> Place | None:
        place = place_at(paths, mount)
        ignored = fs_types.ignored(mount.fs_type) or mount_points.ignored(
            place.labels.mountpoint
        )
        return None if ignored else place

    known: tuple[tuple[Mount, ...], list[Place]] = ((), [])

    def collect() -> Iterator[Metric]:
        nonlocal known
        mounts = mountinfo.read(paths)
        if mounts is not known[0]:
            known = mounts, [place for place in map(place_of, mounts) if place]
        places = known[1]
        outcomes = pool.run([place.path for place in places], patience())
        yield from families((place, outcomes[place.path]) for place in places)

    return collect


def mount_point_filter(values: Values) -> DeviceFilter:
    """Return the filter of mount points. Raises StartError."""
    try:
        return _filter(
            values, MOUNT_POINTS_EXCLUDE, OLD_MOUNT_POINTS_EXCLUDE, MOUNT_POINTS_INCLUDE
        )
    except StartError as error:
        problem = "unable to parse mount points filter flags"
        raise StartError(f"{problem}: {error}") from None


def fs_type_filter(values: Values) -> DeviceFilter:
    """Return the filter of file system types. Raises StartError."""
    try:
        return _filter(values, FS_TYPES_EXCLUDE, OLD_FS_TYPES_EXCLUDE, FS_TYPES_INCLUDE)
    except StartError as error:
        problem = "unable to parse fs types filter flags"
        raise StartError(f"{problem}: {error}") from None


def _filter(
    values: Values, exclude: Flag[str], old_exclude: Flag[str], include: Flag[str]
) -> DeviceFilter:
    is_set = values.given(exclude)
    excluded = renamed(values, exclude, old_exclude, taken=is_set)
    included = values[include]
    if included and not is_set:
        excluded = ""  # who says what he wants does not want the default
    if included and excluded:
        raise StartError(
            f"--{exclude.name} and --{include.name} are mutually exclusive"
        )
    log_pattern(exclude, excluded)
    log_pattern(include, included)
    return DeviceFilter.compile(excluded, included)


def place_at(paths: Paths, mount: Mount) -> Place:
    """Return where *mount* is, for the host and from here."""
    shown = mountinfo.label(paths.strip_rootfs(mountinfo.shown(mount.mount_point)))
    path = paths.root(paths.strip_rootfs(mountinfo.unescape(mount.mount_point)))
    device = mountinfo.label(mount.source)
    return Place(
        path,
        Labels(device, shown, mountinfo.label(mount.fs_type), ""),
        (device, str(mount.major), str(mount.minor), shown),
        mount.is_read_only,
    )


def read_usage(path: str) -> Usage:
    """Return what statfs(2) says of *path*. Raises OSError; may block for ever."""
    try:
        found = os.statvfs(mountinfo.path_bytes(path))
    except ValueError as error:  # a NUL inside
        raise OSError(errno.EINVAL, str(error)) from error
    # f_bsize, not f_frsize: upstream's unit. Only a few FUSE servers make them differ.
    unit = found.f_bsize
    return Usage(
        found.f_blocks * unit,
        found.f_bfree * unit,
        found.f_bavail * unit,
        found.f_files,
        found.f_ffree,
    )


def families(rows: Iterable[tuple[Place, Outcome]]) -> Iterator[Metric]:
    """Yield the families; mounts with the same labels count once, the first one."""
    error = _family(
        "device_error",
        "Whether an error occurred while getting statistics for the given device.",
    )
    readonly = _family("readonly", "Filesystem read-only status.")
    usage = [
        _family(name, text)
        for name, text in zip(Usage._fields, _USAGE_HELP, strict=True)
    ]
    info = GaugeMetricFamily(
        "node_filesystem_mount_info",
        "Filesystem mount information.",
        labels=("device", "major", "minor", "mountpoint"),
    )
    seen: set[Labels] = set()
    placed: set[tuple[str, ...]] = set()
    for place, outcome in rows:
        labels = place.labels
        if not isinstance(outcome, Usage):
            labels = labels._replace(device_error=_error_label(outcome))
        if labels not in seen:
            seen.add(labels)
            error.add_metric(labels, not isinstance(outcome, Usage))
            readonly.add_metric(labels, place.is_read_only)
            if isinstance(outcome, Usage):
                for family, value in zip(usage, outcome, strict=True):
                    family.add_metric(labels, value)
        if isinstance(outcome, Usage) and place.where not in placed:
            placed.add(place.where)
            info.add_metric(place.where, 1)
    yield from (f for f in (error, readonly, *usage, info) if f)


def _error_label(outcome: OSError | Stuck) -> str:
    return _STUCK_TEXT if isinstance(outcome, Stuck) else error_text(outcome)


def _family(name: str, help_text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"node_filesystem_{name}", help_text, labels=_LABELS)


COLLECTOR = CollectorSpec(
    "filesystem",
    create,
    flags=(
        MOUNT_POINTS_EXCLUDE,
        OLD_MOUNT_POINTS_EXCLUDE,
        MOUNT_POINTS_INCLUDE,
        FS_TYPES_EXCLUDE,
        OLD_FS_TYPES_EXCLUDE,
        FS_TYPES_INCLUDE,
        MOUNT_TIMEOUT,
        STAT_WORKERS,
    ),
)
