"""The kernel's name and the host's (node_exporter collector/uname.go, uname(2))."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context


_FIELDS = ("sysname", "nodename", "release", "version", "machine", "domainname")
_FIELD_BYTES = 65  # __NEW_UTS_LEN + 1, of <linux/utsname.h>
_LABELS = ("sysname", "release", "version", "machine", "nodename", "domainname")


class UtsName(ctypes.Structure):
    """``struct new_utsname``; os.uname() leaves its domainname out."""

    _fields_ = tuple((name, ctypes.c_char * _FIELD_BYTES) for name in _FIELDS)


def create(_context: Context) -> Collect:
    """Return the collector of uname(2).

    In a container this names the container's own UTS namespace, as upstream does.
    """
    library = ctypes.CDLL(None, use_errno=True)

    def collect() -> Iterator[Metric]:
        names = UtsName()
        if library.uname(ctypes.byref(names)) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"uname: {os.strerror(code)}")
        family = GaugeMetricFamily(
            "node_uname_info",
            "Labeled system information as provided by the uname system call.",
            labels=_LABELS,
        )
        values = [procfs.text(getattr(names, label)) for label in _LABELS]
        family.add_metric(values, 1)
        yield family

    return collect


COLLECTOR = CollectorSpec("uname", create)
