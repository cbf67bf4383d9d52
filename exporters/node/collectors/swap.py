"""Swap devices and files (node_exporter collector/swap_linux.go).

The kernel's side is mm/swapfile.c swap_show: sizes in KiB.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


class Swap(NamedTuple):
    r"""One device; a blank in its name is ``\040``."""

    device: str
    swap_type: str
    size_bytes: int
    used_bytes: int
    priority: int


_GAUGES = (
    ("size_bytes", "Swap device size in bytes."),
    ("used_bytes", "Swap device used in bytes."),
    ("priority", "Swap device priority."),
)


def parse(data: bytes) -> list[Swap]:
    """Return the devices of a swaps file, whose first line is a heading.

    Raises ValueError.
    """
    swaps: list[Swap] = []
    for number, line in procfs.lines(data):
        if number == 1:
            continue
        words = line.split()
        if len(words) < 5:
            raise ValueError(
                f"swaps:{number}: expected 'file type size used priority',"
                f" got {line[:60]!r}"
            )
        try:
            size, used, priority = map(procfs.parse_int, words[2:5])
        except ValueError as error:
            raise ValueError(f"swaps:{number}: {error}") from error
        name, kind = map(procfs.text, words[:2])
        swaps.append(Swap(name, kind, size * 1024, used * 1024, priority))
    return swaps


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/swaps``."""
    path = context.paths.proc("swaps")

    def collect() -> Iterator[Metric]:
        swaps = parse(procfs.read(path))
        for name, text in _GAUGES:
            gauge = GaugeMetricFamily(
                f"node_swap_{name}", text, labels=("device", "swap_type")
            )
            for swap in swaps:
                gauge.add_metric((swap.device, swap.swap_type), getattr(swap, name))
            yield gauge

    return collect


COLLECTOR = CollectorSpec("swap", create, default_enabled=False)
