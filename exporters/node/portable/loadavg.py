"""Load averages (collector/loadavg.go, loadavg_bsd.go)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_MINUTES = (1, 5, 15)


def create(_context: Context) -> Collect:
    """Return the collector of getloadavg(3)."""

    def collect() -> Iterator[Metric]:
        # psutil has one for Windows, but it counts something else.
        if not hasattr(os, "getloadavg"):
            raise NoData("this system has no load average")
        for minutes, load in zip(_MINUTES, os.getloadavg(), strict=True):
            yield GaugeMetricFamily(
                f"node_load{minutes}", f"{minutes}m load average.", load
            )

    return collect


COLLECTOR = CollectorSpec("loadavg", create)
