"""Whether SELinux is on, and how (node_exporter collector/selinux_linux.go).

The rules are those of libselinux, which upstream has from opencontainers/selinux: it is
on where selinuxfs is mounted and a policy is loaded. The files are the host's here, by
the ``--path`` flags; upstream reads those of its own container.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.paths import Paths
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.storage import mountinfo
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_MODES = {"enforcing": 1, "permissive": 0}
_DISABLED = -1
_NO_POLICY = "kernel"  # what every process is labelled until one is loaded


def parse_config(data: bytes) -> int:
    """Return the mode that /etc/selinux/config sets for the next boot.

    1 is enforcing, 0 permissive, -1 disabled or nothing that is understood.
    """
    for raw in data.split(b"\n"):
        line = procfs.text(raw).strip()
        key, equals, value = line.partition("=")
        if equals and key == "SELINUX":
            return _MODES.get(value.strip('"'), _DISABLED)
    return _DISABLED


def parse_enforce(data: bytes) -> int:
    """Return the mode that selinuxfs's enforce says, -1 where it is no number."""
    try:
        return procfs.parse_int(data)
    except ValueError:
        return _DISABLED


def create(context: Context) -> Collect:
    """Return the collector."""
    paths = context.paths

    def collect() -> Iterator[Metric]:
        mount = find_mount(paths)
        is_enabled = mount is not None and has_policy(paths)
        yield GaugeMetricFamily(
            "node_selinux_enabled",
            "SELinux is enabled, 1 is true, 0 is false",
            is_enabled,
        )
        if mount is None or not is_enabled:
            return
        yield GaugeMetricFamily(
            "node_selinux_config_mode",
            "Configured SELinux enforcement mode",
            parse_config(_read(paths.root("/etc/selinux/config"))),
        )
        yield GaugeMetricFamily(
            "node_selinux_current_mode",
            "Current SELinux enforcement mode",
            parse_enforce(_read(f"{mount}/enforce")),
        )

    return collect


def find_mount(paths: Paths) -> str | None:
    """Return where selinuxfs is mounted, None where SELinux is off.

    A container is told that it is off by a read-only mount. That of the host's, below
    a ``--path``, is read-only for another reason.
    """
    usual = paths.sys("fs", "selinux")
    if not os.path.isdir(usual):  # the kernel makes it if it has SELinux
        return None
    if os.path.exists(f"{usual}/enforce"):
        is_own = paths.sysfs == "/sys"
        if not is_own or not _is_read_only(usual):
            return usual
    return _mounted_elsewhere(paths)


def _is_read_only(path: str) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return True


def _mounted_elsewhere(paths: Paths) -> str | None:
    try:
        mounts = mountinfo.parse(procfs.read(paths.proc("self", "mountinfo")))
    except (OSError, ValueError):
        return None
    for mount in mounts:
        if mount.fs_type == "selinuxfs":
            point = mountinfo.unescape(mount.mount_point)
            is_own = paths.strip_rootfs(point) == point
            if not is_own or not mount.is_read_only:
                return point
    return None


def has_policy(paths: Paths) -> bool:
    """Tell whether a policy is loaded, by what this process is labelled."""
    label = _read(paths.proc("self", "attr", "current"))
    return procfs.text(label.removesuffix(b"\0")) != _NO_POLICY


def _read(path: str) -> bytes:
    try:
        return procfs.read(path)
    except OSError:
        return b""


COLLECTOR = CollectorSpec("selinux", create)
