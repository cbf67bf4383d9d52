"""The clock and its sources (node_exporter collector/time.go, time_linux.go)."""

from __future__ import annotations

import glob
import time
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


class ClockSource(NamedTuple):
    """One ``clocksource<N>`` directory of sysfs."""

    available: tuple[str, ...]
    current: str


def parse_clocksource(available: bytes, current: bytes) -> ClockSource:
    """Return what ``available_clocksource`` and ``current_clocksource`` say."""
    names = tuple(procfs.text(name) for name in available.split())
    return ClockSource(names, procfs.text(current.strip()))


def create(context: Context) -> Collect:
    """Return the collector of the time, the time zone and the clock sources."""
    pattern = (
        glob.escape(context.paths.sys("devices/system/clocksource"))
        + "/clocksource[0-9]*"
    )

    def collect() -> Iterator[Metric]:
        now_ns = time.time_ns()
        zone = time.localtime(now_ns // 1_000_000_000)
        yield GaugeMetricFamily(
            "node_time_seconds",
            "System time in seconds since epoch (1970).",
            now_ns / 1e9,
        )
        offset = GaugeMetricFamily(
            "node_time_zone_offset_seconds",
            "System time zone offset in seconds.",
            labels=["time_zone"],
        )
        offset.add_metric([zone.tm_zone], zone.tm_gmtoff)
        yield offset
        yield from _sources([_read(path) for path in sorted(glob.glob(pattern))])

    return collect


def _read(directory: str) -> ClockSource:
    return parse_clocksource(
        procfs.read(f"{directory}/available_clocksource"),
        procfs.read(f"{directory}/current_clocksource"),
    )


def _sources(sources: list[ClockSource]) -> Iterator[Metric]:
    available = GaugeMetricFamily(
        "node_time_clocksource_available_info",
        "Available clocksources read from '/sys/devices/system/clocksource'.",
        labels=["device", "clocksource"],
    )
    current = GaugeMetricFamily(
        "node_time_clocksource_current_info",
        "Current clocksource read from '/sys/devices/system/clocksource'.",
        labels=["device", "clocksource"],
    )
    # The label is the place in the list, not the number in the directory's name.
    for device, source in enumerate(sources):
        for name in source.available:
            available.add_metric([str(device), name], 1)
        current.add_metric([str(device), source.current], 1)
    yield available
    yield current


COLLECTOR = CollectorSpec("time", create)
