"""Where this process runs, and what of the host it can see from there."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from exporters.node import container, namespaces, procfs
from exporters.node.check import mounts
from exporters.node.check.mounts import Mount
from exporters.node.paths import Paths


T = TypeVar("T")

# Tables of the network that only the kernel's first namespace has, and one of all
# (net/core/sysctl_net_core.c).
_NETWORK_OF_HOST = "/proc/sys/net/core/netdev_max_backlog"
_NETWORK_OF_ALL = "/proc/sys/net/core/somaxconn"


@dataclass(frozen=True, slots=True)
class Root:
    """What ``--path.rootfs`` is."""

    is_directory: bool = True
    is_own: bool = False
    has_etc: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Facts, each of them None where it could not be found out.

    *init_error* is why the mounts of process 1 cannot be read. *sysfs_devices* and
    *own_devices* are network devices by name.
    """

    paths: Paths
    contained: bool = False
    rootfs: Root | None = None
    rootfs_mount: Mount | None = None
    is_procfs: bool = True
    procfs_mount: Mount | None = None
    hosts_processes: bool | None = None
    init_error: str | None = None
    hosts_network: bool | None = None
    is_sysfs: bool = True
    sysfs_devices: frozenset[str] | None = None
    own_devices: frozenset[str] | None = None
    has_udev: bool = True
    rootfs_has_udev: bool = False


def look(paths: Paths, environ: Mapping[str, str]) -> Place:
    """Return where this process runs. Never raises."""
    own_mounts = _try(lambda: procfs.read("/proc/self/mountinfo")) or b""
    return Place(
        paths,
        contained=container.is_inside(environ),
        rootfs=_root(paths.rootfs),
        rootfs_mount=mounts.find(own_mounts, os.path.abspath(paths.rootfs)),
        is_procfs=os.path.isfile(paths.proc("stat")),
        procfs_mount=mounts.find(own_mounts, os.path.abspath(paths.procfs)),
        hosts_processes=_shows_hosts_processes(paths),
        init_error=_error(lambda: procfs.read(paths.proc("1", "mountinfo"))),
        hosts_network=_has_hosts_network(),
        is_sysfs=os.path.isdir(paths.sys("class")),
        sysfs_devices=_try(lambda: frozenset(os.listdir(paths.sys("class/net")))),
        own_devices=_try(lambda: frozenset(n for _, n in socket.if_nameindex())),
        has_udev=os.path.isdir(paths.udev_data),
        rootfs_has_udev=os.path.isdir(paths.root("/run/udev/data")),
    )


def count_namespaces(status: bytes) -> int | None:
    """Return in how many nested namespaces a ``/proc/<pid>/status`` numbers a process.

    It begins with that of the procfs mount. None without a line NSpid.
    """
    for _, line in procfs.lines(status):
        key, _, value = line.partition(b":")
        if key == b"NSpid":
            return len(value.split())
    return None


def _shows_hosts_processes(paths: Paths) -> bool | None:
    """Tell whether ``--path.procfs`` is that of the host's processes.

    One who is in the host's namespace sees nothing else. Otherwise a procfs that
    numbers this process in more than one namespace is not this container's own.
    """
    status = _try(lambda: procfs.read(paths.proc("self", "status")))
    count = count_namespaces(status or b"")
    if count is None:
        return None
    return count > 1 or namespaces.is_hosts("pid")


def _has_hosts_network() -> bool | None:
    if not os.path.exists(_NETWORK_OF_ALL):
        return None
    return os.path.exists(_NETWORK_OF_HOST)


def _root(path: str) -> Root:
    return Root(
        os.path.isdir(path),
        _try(lambda: os.path.samefile(path, "/")) or False,
        os.path.isdir(os.path.join(path, "etc")),
    )


def _try(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except OSError:
        return None


def _error(read: Callable[[], object]) -> str | None:
    try:
        read()
    except OSError as error:
        return str(error)
    return None
