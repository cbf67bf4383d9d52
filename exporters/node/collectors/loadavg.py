"""Load averages (node_exporter collector/loadavg.go, kernel fs/proc/loadavg.c)."""

from __future__ import annotations

from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_MINUTES = (1, 5, 15)


def parse(data: bytes) -> tuple[float, float, float]:
    """Return the 1, 5 and 15 minute averages of a loadavg file.

    Raises ValueError.
    """
    fields = data.split()
    if len(fields) < len(_MINUTES):
        raise ValueError(f"loadavg: expected at least 3 fields, got {data[:60]!r}")
    one, five, fifteen = (procfs.parse_number(field) for field in fields[:3])
    return one, five, fifteen


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/loadavg``."""
    file = context.proc("loadavg")

    def collect() -> Iterator[Metric]:
        loads = parse(file.read())
        for minutes, load in zip(_MINUTES, loads, strict=True):
            yield GaugeMetricFamily(
                f"node_load{minutes}", f"{minutes}m load average.", load
            )

    return collect


COLLECTOR = CollectorSpec("loadavg", create)
