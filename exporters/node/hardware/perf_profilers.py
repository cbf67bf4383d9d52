"""Which perf events have a metric, and a name for the flags (collector/perf_linux.go).

Numbers are those of include/uapi/linux/perf_event.h.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exporters.node.hardware.perf_events import CACHE, HARDWARE, SOFTWARE, Event


log = logging.getLogger(__name__)


class Profiler(NamedTuple):
    """An event and its metric; *flag* is its name on the command line."""

    flag: str
    event: Event
    metric: str
    help: str


_L1D, _L1I, _LAST_LEVEL, _DATA_TLB, _INSTRUCTION_TLB, _BRANCH_UNIT = range(6)
_READ, _WRITE = range(2)
_HIT, _MISS = range(2)


def _cache(cache: int, operation: int, result: int) -> Event:
    return Event(CACHE, cache | operation << 8 | result << 16)


_HARDWARE = (
    Profiler(
        "CpuCycles",
        Event(HARDWARE, 0),
        "cpucycles_total",
        "Number of CPU cycles (frequency scaled)",
    ),
    Profiler(
        "CpuInstr",
        Event(HARDWARE, 1),
        "instructions_total",
        "Number of CPU instructions",
    ),
    Profiler(
        "CacheRef",
        Event(HARDWARE, 2),
        "cache_refs_total",
        "Number of cache references (non frequency scaled)",
    ),
    Profiler(
        "CacheMisses",
        Event(HARDWARE, 3),
        "cache_misses_total",
        "Number of cache misses",
    ),
    Profiler(
        "BranchInstr",
        Event(HARDWARE, 4),
        "branch_instructions_total",
        "Number of CPU branch instructions",
    ),
    Profiler(
        "BranchMisses",
        Event(HARDWARE, 5),
        "branch_misses_total",
        "Number of CPU branch misses",
    ),
    Profiler(
        "StalledCyclesFrontend",
        Event(HARDWARE, 7),
        "stalled_cycles_frontend_total",
        "Number of stalled frontend CPU cycles",
    ),
    Profiler(
        "StalledCyclesBackend",
        Event(HARDWARE, 8),
        "stalled_cycles_backend_total",
        "Number of stalled backend CPU cycles",
    ),
    Profiler(
        "RefCpuCycles",
        Event(HARDWARE, 9),
        "ref_cpucycles_total",
        "Number of CPU cycles",
    ),
)

_SOFTWARE = (
    Profiler(
        "PageFault",
        Event(SOFTWARE, 2),
        "page_faults_total",
        "Number of page faults",
    ),
    Profiler(
        "ContextSwitch",
        Event(SOFTWARE, 3),
        "context_switches_total",
        "Number of context switches",
    ),
    Profiler(
        "CpuMigration",
        Event(SOFTWARE, 4),
        "cpu_migrations_total",
        "Number of CPU process migrations",
    ),
    Profiler(
        "MinorFault",
        Event(SOFTWARE, 5),
        "minor_faults_total",
        "Number of minor page faults",
    ),
    Profiler(
        "MajorFault",
        Event(SOFTWARE, 6),
        "major_faults_total",
        "Number of major page faults",
    ),
)

_CACHE = (
    Profiler(
        "L1DataReadHit",
        _cache(_L1D, _READ, _HIT),
        "cache_l1d_read_hits_total",
        "Number L1 data cache read hits",
    ),
    Profiler(
        "L1DataReadMiss",
        _cache(_L1D, _READ, _MISS),
        "cache_l1d_read_misses_total",
        "Number L1 data cache read misses",
    ),
    Profiler(
        "L1DataWriteHit",
        _cache(_L1D, _WRITE, _HIT),
        "cache_l1d_write_hits_total",
        "Number L1 data cache write hits",
    ),
    Profiler(
        "L1InstrReadMiss",
        _cache(_L1I, _READ, _MISS),
        "cache_l1_instr_read_misses_total",
        "Number instruction L1 instruction read misses",
    ),
    Profiler(
        "InstrTLBReadHit",
        _cache(_INSTRUCTION_TLB, _READ, _HIT),
        "cache_tlb_instr_read_hits_total",
        "Number instruction TLB read hits",
    ),
    Profiler(
        "InstrTLBReadMiss",
        _cache(_INSTRUCTION_TLB, _READ, _MISS),
        "cache_tlb_instr_read_misses_total",
        "Number instruction TLB read misses",
    ),
    Profiler(
        "DataTLBReadHit",
        _cache(_DATA_TLB, _READ, _HIT),
        "cache_tlb_data_read_hits_total",
        "Number of data TLB read hits",
    ),
    Profiler(
        "DataTLBReadMiss",
        _cache(_DATA_TLB, _READ, _MISS),
        "cache_tlb_data_read_misses_total",
        "Number of data TLB read misses",
    ),
    Profiler(
        "DataTLBWriteHit",
        _cache(_DATA_TLB, _WRITE, _HIT),
        "cache_tlb_data_write_hits_total",
        "Number of data TLB write hits",
    ),
    Profiler(
        "DataTLBWriteMiss",
        _cache(_DATA_TLB, _WRITE, _MISS),
        "cache_tlb_data_write_misses_total",
        "Number of data TLB write misses",
    ),
    Profiler(
        "LLReadHit",
        _cache(_LAST_LEVEL, _READ, _HIT),
        "cache_ll_read_hits_total",
        "Number last level read hits",
    ),
    Profiler(
        "LLReadMiss",
        _cache(_LAST_LEVEL, _READ, _MISS),
        "cache_ll_read_misses_total",
        "Number last level read misses",
    ),
    Profiler(
        "LLWriteHit",
        _cache(_LAST_LEVEL, _WRITE, _HIT),
        "cache_ll_write_hits_total",
        "Number last level write hits",
    ),
    Profiler(
        "LLWriteMiss",
        _cache(_LAST_LEVEL, _WRITE, _MISS),
        "cache_ll_write_misses_total",
        "Number last level write misses",
    ),
    Profiler(
        "BPUReadHit",
        _cache(_BRANCH_UNIT, _READ, _HIT),
        "cache_bpu_read_hits_total",
        "Number BPU read hits",
    ),
    Profiler(
        "BPUReadMiss",
        _cache(_BRANCH_UNIT, _READ, _MISS),
        "cache_bpu_read_misses_total",
        "Number BPU read misses",
    ),
)

PROFILERS: Mapping[str, Sequence[Profiler]] = {
    "hardware": _HARDWARE,
    "software": _SOFTWARE,
    "cache": _CACHE,
}
"""By kind, as the flags name them."""


def choose(kind: str, names: tuple[str, ...]) -> Sequence[Profiler]:
    """Return the profilers of *kind* called *names*, or all if none is known."""
    by_name = {profiler.flag: profiler for profiler in PROFILERS[kind]}
    for name in names:
        if name not in by_name:
            log.error("Unknown %s profiler: %s", kind, name)
    found = [by_name[name] for name in dict.fromkeys(names) if name in by_name]
    return found or PROFILERS[kind]
