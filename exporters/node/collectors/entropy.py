"""The kernel's entropy pool (node_exporter collector/entropy_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/sys/kernel/random``."""
    available = context.proc("sys/kernel/random/entropy_avail")
    size = context.proc("sys/kernel/random/poolsize")

    def collect() -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "node_entropy_available_bits",
            "Bits of available entropy.",
            procfs.parse_uint(available.read()),
        )
        yield GaugeMetricFamily(
            "node_entropy_pool_size_bits",
            "Bits of entropy pool.",
            procfs.parse_uint(size.read()),
        )

    return collect


COLLECTOR = CollectorSpec("entropy", create)
