"""The kernel's name and the host's (node_exporter collector/uname.go, uname(2)).

In a container uname(2) names the container. ``/proc/sys/kernel/hostname`` is no help:
the kernel answers with the name of whoever reads it, whatever ``--path.procfs`` is.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator

from exporters.node import libc, namespaces, procfs
from exporters.node.paths import Paths
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import string
from exporters.toolkit.metric import GaugeMetricFamily, Metric


NODENAME = string(
    "collector.uname.nodename",
    "Nodename of node_uname_info. Without it a container takes the name in"
    " etc/hostname below --path.rootfs, where that is given.",
)

_FIELDS = ("sysname", "nodename", "release", "version", "machine", "domainname")
_FIELD_BYTES = 65  # __NEW_UTS_LEN + 1, of <linux/utsname.h>
_LABELS = ("sysname", "release", "version", "machine", "nodename", "domainname")


class UtsName(ctypes.Structure):
    """``struct new_utsname``; os.uname() leaves its domainname out."""

    _fields_ = tuple((name, ctypes.c_char * _FIELD_BYTES) for name in _FIELDS)


def parse_hostname(data: bytes) -> str:
    """Return the name that a file hostname(5) holds, "" where it holds none."""
    for _, line in procfs.lines(data):
        name = procfs.text(line.strip())
        if not name.startswith("#"):
            return name
    return ""


def create(context: Context) -> Collect:
    """Return the collector of uname(2)."""
    library = libc.library()
    given = context.values[NODENAME]

    def collect() -> Iterator[Metric]:
        names = UtsName()
        if library.uname(ctypes.byref(names)) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"uname: {os.strerror(code)}")
        labels = {name: procfs.text(getattr(names, name)) for name in _LABELS}
        labels["nodename"] = given or hosts_name(context.paths) or labels["nodename"]
        yield info(labels)

    return collect


def hosts_name(paths: Paths) -> str:
    """Return the name that the root file system of *paths* has, "" for uname(2)'s.

    With ``--uts=host``, and in pods with hostNetwork, uname(2) says the host's name,
    which the file may not know: it can be set while running.
    """
    if paths.rootfs == "/" or namespaces.is_hosts("uts") is not False:
        return ""
    try:
        return parse_hostname(procfs.read(paths.root("/etc/hostname")))
    except OSError:
        return ""


def info(labels: dict[str, str]) -> Metric:
    """Return ``node_uname_info`` with *labels*."""
    family = GaugeMetricFamily(
        "node_uname_info",
        "Labeled system information as provided by the uname system call.",
        labels=_LABELS,
    )
    family.add_metric([labels[label] for label in _LABELS], 1)
    return family


COLLECTOR = CollectorSpec("uname", create, flags=(NODENAME,))
