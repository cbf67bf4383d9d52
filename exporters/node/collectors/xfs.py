"""Counters of XFS file systems (node_exporter collector/xfs_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exporters.node import procfs
from exporters.node.apart import Apart, names
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.storage.xfs_stats import LINES, Statistics, parse
from exporters.toolkit.metric import CounterMetricFamily, Metric


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/fs/xfs``, which Linux has since 4.4."""
    path = context.paths.sys("fs", "xfs")

    def collect() -> Iterator[Metric]:
        apart = Apart()
        found = {
            device: apart.read(_read, f"{path}/{device}/stats/stats")
            for device in names(path)
        }
        yield from families({name: s for name, s in found.items() if s is not None})
        apart.raise_first()

    return collect


def _read(path: str) -> Statistics:
    return parse(procfs.read(path))


def families(devices: Mapping[str, Statistics]) -> Iterator[Metric]:
    """Yield the counters of *devices*, which are names -> numbers; none for none."""
    if not devices:
        return
    for line, columns in LINES.items():
        for position, column in enumerate(columns):
            counter = CounterMetricFamily(
                f"node_xfs_{column.name}_total", column.help, labels=("device",)
            )
            for device, statistics in devices.items():
                counter.add_metric((device,), statistics[line][position])
            yield counter


COLLECTOR = CollectorSpec("xfs", create)
