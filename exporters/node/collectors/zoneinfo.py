"""Memory zones (node_exporter collector/zoneinfo_linux.go, kernel mm/vmstat.c).

Numbers of a whole node are printed, and so exported, below its first populated zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from exporters.node import procfs, sysfs
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


# The kernel's word -> (metric, HELP); a metric that ends in _total is a counter.
_FIELDS = {
    "nr_free_pages": ("nr_free_pages", "Total number of free pages in the zone"),
    "min": ("min_pages", "Zone watermark pages_min"),
    "low": ("low_pages", "Zone watermark pages_low"),
    "high": ("high_pages", "Zone watermark pages_high"),
    "scanned": ("scanned_pages", "Pages scanned since last reclaim"),
    "spanned": ("spanned_pages", "Total pages spanned by the zone, including holes"),
    "present": ("present_pages", "Physical pages existing within the zone"),
    "managed": ("managed_pages", "Present pages managed by the buddy system"),
    "nr_active_anon": (
        "nr_active_anon_pages",
        "Number of anonymous pages recently more used",
    ),
    "nr_inactive_anon": (
        "nr_inactive_anon_pages",
        "Number of anonymous pages recently less used",
    ),
    "nr_isolated_anon": (
        "nr_isolated_anon_pages",
        "Temporary isolated pages from anon lru",
    ),
    "nr_anon_pages": (
        "nr_anon_pages",
        "Number of anonymous pages currently used by the system",
    ),
    "nr_anon_transparent_hugepages": (
        "nr_anon_transparent_hugepages",
        "Number of anonymous transparent huge pages currently used by the system",
    ),
    "nr_active_file": (
        "nr_active_file_pages",
        "Number of active pages with file-backing",
    ),
    "nr_inactive_file": (
        "nr_inactive_file_pages",
        "Number of inactive pages with file-backing",
    ),
    "nr_isolated_file": (
        "nr_isolated_file_pages",
        "Temporary isolated pages from file lru",
    ),
    "nr_file_pages": ("nr_file_pages", "Number of file pages"),
    "nr_slab_reclaimable": (
        "nr_slab_reclaimable_pages",
        "Number of reclaimable slab pages",
    ),
    "nr_slab_unreclaimable": (
        "nr_slab_unreclaimable_pages",
        "Number of unreclaimable slab pages",
    ),
    "nr_mlock_stack": (
        "nr_mlock_stack_pages",
        "mlock()ed pages found and moved off LRU",
    ),
    "nr_kernel_stack": ("nr_kernel_stacks", "Number of kernel stacks"),
    "nr_mapped": ("nr_mapped_pages", "Number of mapped pages"),
    "nr_dirty": ("nr_dirty_pages", "Number of dirty pages"),
    "nr_writeback": ("nr_writeback_pages", "Number of writeback pages"),
    "nr_unevictable": ("nr_unevictable_pages", "Number of unevictable pages"),
    "nr_shmem": (
        "nr_shmem_pages",
        "Number of shmem pages (included tmpfs/GEM pages)",
    ),
    "nr_dirtied": ("nr_dirtied_total", "Page dirtyings since bootup"),
    "nr_written": ("nr_written_total", "Page writings since bootup"),
    "numa_hit": ("numa_hit_total", "Allocated in intended node"),
    "numa_miss": ("numa_miss_total", "Allocated in non intended node"),
    "numa_foreign": ("numa_foreign_total", "Was intended here, hit elsewhere"),
    "numa_interleave": (
        "numa_interleave_total",
        "Interleaver preferred this zone",
    ),
    "numa_local": ("numa_local_total", "Allocation from local node"),
    "numa_other": ("numa_other_total", "Allocation from other node"),
}
_ZONE = re.compile(r"([0-9]+), zone\s+(\w+)", re.ASCII)
_PROTECTION = "protection:"


@dataclass(slots=True)
class Zone:
    """One zone: its numbers by the kernel's words, and its reserve for each zone."""

    node: str
    name: str
    numbers: dict[str, int] = field(default_factory=dict)
    protection: list[int] = field(default_factory=list)


def parse(data: bytes) -> list[Zone]:
    """Return the zones of a zoneinfo file. Never raises.

    Only the first word after a name counts, and what is not a number is 0 (procfs
    parseZoneinfo). Lines with other names are left out.
    """
    zones: list[Zone] = []
    for line in procfs.text(data).split("\n"):
        heading = _ZONE.search(line)
        if heading is not None:
            zones.append(Zone(heading[1], heading[2]))
            continue
        words = line.split()
        if not zones or len(words) < 2:
            continue
        if words[0] in _FIELDS:
            zones[-1].numbers[words[0]] = sysfs.parse_integer(words[1])
        elif words[0] == _PROTECTION:
            zones[-1].protection = _protection(line)
    return zones


def _protection(line: str) -> list[int]:
    """Return the numbers of "protection: (0, 1866, 7752)", none where one is bad."""
    inner = line.partition(":")[2].strip().removeprefix("(").removesuffix(")")
    try:
        return [procfs.parse_int(word.encode()) for word in inner.split(", ")]
    except ValueError:
        return []


def families(zones: list[Zone]) -> Families:
    """Return what is exported of *zones*."""
    found = Families()
    for zone in zones:
        labels = {"node": zone.node, "zone": zone.name}
        for word, value in zone.numbers.items():
            name, text = _FIELDS[word]
            found.named(f"node_zoneinfo_{name}", text, value, labels)
        for index, value in enumerate(zone.protection):
            name = f"node_zoneinfo_protection_{index}"
            found.gauge(name, f"Protection array {index}. field", value, labels)
    return found


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/zoneinfo``."""
    path = context.paths.proc("zoneinfo")

    def collect() -> Iterator[Metric]:
        yield from families(parse(procfs.read(path)))

    return collect


COLLECTOR = CollectorSpec("zoneinfo", create, default_enabled=False)
