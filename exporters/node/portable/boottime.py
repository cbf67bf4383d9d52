"""When the system was started (collector/boot_time_bsd.go; on Linux stat.go)."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from exporters.node.portable import system
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_HELP = "Unix time of last boot, including microseconds."
_HELP_OF = {"linux": "Node boot time, in unixtime."}


def create(_context: Context) -> Collect:
    """Return the collector of the boot time."""

    def collect() -> Iterator[Metric]:
        help_text = _HELP_OF.get(system.current(), _HELP)
        yield GaugeMetricFamily("node_boot_time_seconds", help_text, psutil.boot_time())

    return collect


COLLECTOR = CollectorSpec("boottime", create)
