"""Rows of the table for two programs that answer scrapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import ENCODINGS, Measured, Pair, Plan, Series, scrapes, starts
from benchmarks.summary import Row, Target, paired, tail
from benchmarks.units import count, mebibytes, milliseconds


class Aims(NamedTuple):
    """What is asked of the rows of a comparison."""

    cpu: Target | None = None
    p99: Target | None = None
    rss: Target | None = None
    start: Target | None = None


def compare(pair: Pair, plan: Plan, folder: Path, aims: Aims) -> Iterator[Row]:
    """Measure *pair* and yield the rows of it; *folder* is for logs.

    Raises BenchmarkError when a program ends, or answers something else than metrics.
    """
    begins = starts(pair, plan.starts, folder)
    measured = scrapes(pair, plan, folder)
    for kind in ENCODINGS:
        yield from scrape_rows(kind, measured.series[kind], aims)
    yield from memory_rows(measured, plan, aims)
    wall = paired("start to first 200", begins[0].wall, begins[1].wall, milliseconds)
    yield wall.aim(aims.start)
    # On a busy machine the clock runs on while others work: so the CPU is asked, too.
    cpu = paired("  CPU until then", begins[0].cpu, begins[1].cpu, milliseconds)
    yield cpu.aim(aims.start)
    yield from size_rows(measured)


def scrape_rows(kind: str, both: tuple[Series, Series], aims: Aims) -> Iterator[Row]:
    """Yield what the scrapes of one kind cost and how long they took."""
    ours, original = both
    cpu = paired(f"CPU per scrape, {kind}", ours.cpu, original.cpu, milliseconds)
    yield cpu.aim(aims.cpu)
    yield paired(
        f"  latency median, {kind}", ours.median, original.median, milliseconds
    )
    p99 = tail(
        f"  latency p99, {kind}", ours.latencies, original.latencies, milliseconds
    )
    yield p99.aim(aims.p99)


def memory_rows(measured: Measured, plan: Plan, aims: Aims) -> Iterator[Row]:
    """Yield what both hold in memory after all scrapes."""
    ours, original = measured.held
    scraped = plan.scrapes * len(measured.series)
    title = f"RSS after {scraped:,} scrapes"
    yield Row(title, ours.rss, original.rss, mebibytes).aim(aims.rss)
    yield Row("  anonymous part", ours.anonymous, original.anonymous, mebibytes)


def size_rows(measured: Measured) -> Iterator[Row]:
    """Yield what was answered."""
    for kind, (ours, original) in measured.series.items():
        title = f"body bytes, {kind}"
        yield Row(title, ours.body_bytes, original.body_bytes, count)
    ours, original = next(iter(measured.series.values()))
    yield Row("samples", ours.samples, original.samples, count)
