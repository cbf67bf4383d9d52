"""Disk I/O counters (collector/diskstats_darwin.go, diskstats_openbsd.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import psutil

from exporters.node.collectors import diskstats
from exporters.node.portable import system
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.storage.diskstats import COLUMNS
from exporters.toolkit.metric import CounterMetricFamily, Metric


_MILLISECOND = 1.0 / 1000.0
# The family's name -> psutil's field and how many units of the family one of it is.
_FIELDS = {
    "reads_completed_total": ("read_count", 1.0),
    "read_bytes_total": ("read_bytes", 1.0),
    "read_time_seconds_total": ("read_time", _MILLISECOND),
    "writes_completed_total": ("write_count", 1.0),
    "written_bytes_total": ("write_bytes", 1.0),
    "write_time_seconds_total": ("write_time", _MILLISECOND),
}
_HELP = {column.name: column.help for column in COLUMNS}
# Only Linux has devices that nobody wants to see.
_EXCLUDE = replace(
    diskstats.DEVICE_EXCLUDE,
    default=diskstats.DEVICE_EXCLUDE.default if system.current() == "linux" else "",
)


def create(context: Context) -> Collect:
    """Return the collector. Raises StartError for contradicting filters."""
    devices = diskstats.device_filter(context.values)

    def collect() -> Iterator[Metric]:
        found = psutil.disk_io_counters(perdisk=True, nowrap=False)
        yield from families(
            {name: each for name, each in found.items() if not devices.ignored(name)}
        )

    return collect


def families(disks: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield the families of psutil's records by device; OpenBSD has no times."""
    for name, (field, factor) in _FIELDS.items():
        family = CounterMetricFamily(
            f"node_disk_{name}", _HELP[name], labels=["device"]
        )
        for device, record in disks.items():
            value = getattr(record, field, None)
            if value is not None:
                family.add_metric([device], value * factor)
        if family:
            yield family


COLLECTOR = CollectorSpec(
    "diskstats",
    create,
    flags=(_EXCLUDE, diskstats.OLD_DEVICE_EXCLUDE, diskstats.DEVICE_INCLUDE),
)
