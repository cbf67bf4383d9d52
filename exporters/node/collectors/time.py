"""The clock and its sources (node_exporter collector/time.go, time_linux.go)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.keeper import Keeper
from exporters.node.kept_file import KeptFile
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_DIRECTORY = re.compile("clocksource[0-9]")


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
    sources = Sources(context.paths.sys("devices/system/clocksource"), context.keeper)

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
        yield from _sources(sources.read())

    return collect


class Sources:
    """The directories of clock sources below *path*, whose files are kept open."""

    def __init__(self, path: str, keeper: Keeper) -> None:
        """Read below *path* as far as *keeper* lets anything be kept."""
        self._path = path
        self._keeper = keeper
        self._known: dict[str, tuple[KeptFile, KeptFile]] = {}

    def read(self) -> list[ClockSource]:
        """Return the clock sources in the order of their names. Raises OSError."""
        known, self._known = self._known, {}  # who is gone is closed with *known*
        for name in self._names():
            self._known[name] = known.get(name) or self._open(name)
        return [
            parse_clocksource(available.read(), current.read())
            for available, current in self._known.values()
        ]

    def _names(self) -> list[str]:
        try:
            return sorted(filter(_DIRECTORY.match, os.listdir(self._path)))
        except OSError:  # as Go's filepath.Glob has it
            return []

    def _open(self, name: str) -> tuple[KeptFile, KeptFile]:
        available, current = (
            KeptFile(f"{self._path}/{name}/{which}_clocksource", self._keeper)
            for which in ("available", "current")
        )
        return available, current


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
