"""Merging of equal memory pages (node_exporter collector/ksmd_linux.go).

The kernel's side is Documentation/admin-guide/mm/ksm.rst.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.apart import Apart
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


class _Attribute(NamedTuple):
    file: str
    name: str
    help: str
    divisor: int = 1


_ATTRIBUTES = (
    _Attribute(
        "full_scans",
        "full_scans_total",
        "How many times all mergeable areas have been scanned.",
    ),
    _Attribute(
        "general_profit",
        "general_profit_bytes",
        "How effective is KSM. ksm_saved_pages * sizeof(page) - (all_rmap_items)"
        " * sizeof(rmap_item)",
    ),
    _Attribute(
        "merge_across_nodes",
        "merge_across_nodes",
        "Specifies if pages from different NUMA nodes can be merged.",
    ),
    _Attribute("pages_shared", "pages_shared", "How many shared pages are being used."),
    _Attribute(
        "pages_sharing",
        "pages_sharing",
        "How many more sites are sharing them i.e. how much saved.",
    ),
    _Attribute(
        "pages_to_scan",
        "pages_to_scan",
        "How many pages to scan before ksmd goes to sleep.",
    ),
    _Attribute(
        "pages_unshared",
        "pages_unshared",
        "How many pages unique but repeatedly checked for merging.",
    ),
    _Attribute(
        "pages_volatile",
        "pages_volatile",
        "How many pages changing too fast to be placed in a tree.",
    ),
    _Attribute("run", "run", "The status of ksmd. stopped = 0, running = 1"),
    _Attribute(
        "sleep_millisecs",
        "sleep_seconds",
        "How many seconds ksmd should sleep before next scan.",
        1000,
    ),
)


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/kernel/mm/ksm``; older kernels lack some files."""
    folder = context.paths.sys("kernel/mm/ksm")

    def collect() -> Iterator[Metric]:
        found, apart = Families(), Apart()
        for file, name, text, divisor in _ATTRIBUTES:
            value = apart.read(_read, f"{folder}/{file}")
            if value is not None:
                found.named(f"node_ksmd_{name}", text, value / divisor)
        yield from found
        apart.raise_first()

    return collect


def _read(path: str) -> int:
    # Signed: the profit is negative where merging costs more than it saves, which
    # upstream cannot read.
    return procfs.parse_int(procfs.read(path))


COLLECTOR = CollectorSpec("ksmd", create, default_enabled=False)
