"""Free memory by size of its blocks (node_exporter collector/buddyinfo.go).

The kernel's side is mm/vmstat.c frag_show: a line for each zone, a column for each
power of two of pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_HEAD = 4  # the words of "Node 0, zone DMA"


class Zone(NamedTuple):
    """One zone; ``blocks[n]`` are the free blocks of 2**n pages."""

    node: str
    name: str
    blocks: list[float]


def parse(data: bytes) -> list[Zone]:
    """Return the zones of a buddyinfo file. Raises ValueError."""
    zones: list[Zone] = []
    for number, line in procfs.lines(data):
        words = line.split()
        if len(words) < _HEAD:
            raise ValueError(
                f"buddyinfo:{number}: expected 'Node N, zone NAME ...',"
                f" got {line[:60]!r}"
            )
        try:
            blocks = [procfs.parse_number(word) for word in words[_HEAD:]]
        except ValueError as error:
            raise ValueError(f"buddyinfo:{number}: {error}") from error
        if zones and len(blocks) != len(zones[0].blocks):
            raise ValueError(
                f"buddyinfo:{number}: expected {len(zones[0].blocks)} sizes as before,"
                f" got {len(blocks)}"
            )
        node, name = (procfs.text(words[i].removesuffix(b",")) for i in (1, 3))
        zones.append(Zone(node, name, blocks))
    return zones


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/buddyinfo``."""
    path = context.paths.proc("buddyinfo")

    def collect() -> Iterator[Metric]:
        gauge = GaugeMetricFamily(
            "node_buddyinfo_blocks",
            "Count of free blocks according to size.",
            labels=("node", "zone", "size"),
        )
        for zone in parse(procfs.read(path)):
            for size, count in enumerate(zone.blocks):
                gauge.add_metric((zone.node, zone.name, str(size)), count)
        yield gauge

    return collect


COLLECTOR = CollectorSpec("buddyinfo", create, default_enabled=False)
