"""Memory (collector/meminfo_darwin.go, memory_bsd.go, meminfo_openbsd.go, _netbsd.go).

Each system has names of its own upstream. Where there is no upstream, those of Linux.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import psutil

from exporters.node.portable import system
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric


class Memory(NamedTuple):
    """psutil's two records, in bytes."""

    virtual: Any
    swap: Any


Table = Mapping[str, Callable[[Memory], float]]
"""Names without ``node_memory_``, and where their values are."""

_PARTS: Table = {
    "active_bytes": lambda m: m.virtual.active,
    "inactive_bytes": lambda m: m.virtual.inactive,
    "wired_bytes": lambda m: m.virtual.wired,
}
_BSD: Table = {
    **_PARTS,
    "free_bytes": lambda m: m.virtual.free,
    "size_bytes": lambda m: m.virtual.total,
    "swap_size_bytes": lambda m: m.swap.total,
    "swap_used_bytes": lambda m: m.swap.used,
}
_SWAPPED: Table = {
    "swapped_in_pages_bytes_total": lambda m: m.swap.sin,
    "swapped_out_pages_bytes_total": lambda m: m.swap.sout,
}
_ANYWHERE: Table = {
    "MemTotal_bytes": lambda m: m.virtual.total,
    "MemAvailable_bytes": lambda m: m.virtual.available,
    "SwapTotal_bytes": lambda m: m.swap.total,
    "SwapFree_bytes": lambda m: m.swap.free,
}
_TABLES: Mapping[str, Table] = {
    "darwin": {
        **_PARTS,
        # psutil's "free" lacks the speculative pages, its "available" has them.
        "free_bytes": lambda m: m.virtual.available - m.virtual.inactive,
        "total_bytes": lambda m: m.virtual.total,
        "swap_total_bytes": lambda m: m.swap.total,
        "swap_used_bytes": lambda m: m.swap.used,
        "swapped_in_bytes_total": lambda m: m.swap.sin,
        "swapped_out_bytes_total": lambda m: m.swap.sout,
    },
    "freebsd": {
        **_BSD,
        "buffer_bytes": lambda m: m.virtual.buffers,
        "cache_bytes": lambda m: m.virtual.cached,
    },
    "openbsd": {**_BSD, **_SWAPPED, "cache_bytes": lambda m: m.virtual.cached},
    "netbsd": {**_BSD, **_SWAPPED},
    "linux": {
        **_ANYWHERE,
        "MemFree_bytes": lambda m: m.virtual.free,
        "Buffers_bytes": lambda m: m.virtual.buffers,
        "Active_bytes": lambda m: m.virtual.active,
        "Inactive_bytes": lambda m: m.virtual.inactive,
        "Shmem_bytes": lambda m: m.virtual.shared,
        "Slab_bytes": lambda m: m.virtual.slab,
    },
}
# FreeBSD has texts of its own.
_HELP_OF: Mapping[str, Mapping[str, str]] = {
    "freebsd": {
        "active_bytes": "Recently used by userland",
        "inactive_bytes": "Not recently used by userland",
        "wired_bytes": "Locked in memory by kernel, mlock, etc",
        "free_bytes": "Unallocated, available for allocation",
        "size_bytes": "Total physical memory size",
        "swap_size_bytes": "Total swap memory size",
        "swap_used_bytes": "Currently allocated swap",
        "buffer_bytes": (
            "Disk IO Cache entries for non ZFS filesystems, only usable by kernel"
        ),
        "cache_bytes": (
            "Almost free, backed by swap or files, available for re-allocation"
        ),
    }
}


def create(_context: Context) -> Collect:
    """Return the collector of memory and swap."""

    def collect() -> Iterator[Metric]:
        memory = Memory(psutil.virtual_memory(), psutil.swap_memory())
        yield from families(memory, system.current())

    return collect


def families(memory: Memory, on: str) -> Iterator[Metric]:
    """Yield *memory* under the names that upstream has on the system *on*."""
    helps = _HELP_OF.get(on, {})
    for name, value in _TABLES.get(on, _ANYWHERE).items():
        family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        help_text = helps.get(name, f"Memory information field {name}.")
        yield family(f"node_memory_{name}", help_text, value(memory))


COLLECTOR = CollectorSpec("meminfo", create)
