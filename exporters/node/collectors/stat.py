"""Interrupts, switches, forks, boot time (node_exporter collector/stat_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import boolean
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric


SOFTIRQ = boolean("collector.stat.softirq", "Export softirq calls per vector")

_KEYS = (b"intr", b"ctxt", b"processes", b"btime", b"procs_running", b"procs_blocked")
# kernel/softirq.c softirq_to_name; fs/proc/stat.c prints the sum first
_VECTORS = (
    "hi",
    "timer",
    "net_tx",
    "net_rx",
    "block",
    "block_iopoll",
    "tasklet",
    "sched",
    "hrtimer",
    "rcu",
)


class Stat(NamedTuple):
    """What a stat file says of the host as a whole; 0 where it does not say it."""

    interrupts: int
    context_switches: int
    forks: int
    boot_time_seconds: int
    running: int
    blocked: int
    softirqs: dict[str, int]


def parse(data: bytes) -> Stat:
    """Return the numbers of a stat file that do not belong to one CPU.

    Raises ValueError.
    """
    numbers = dict.fromkeys(_KEYS, 0)
    softirqs = dict.fromkeys(_VECTORS, 0)
    for number, line in procfs.lines(data):
        # Only the first number is wanted, and intr has thousands of them.
        key, *fields = line.split(None, 2)
        if key in numbers and fields:
            numbers[key] = procfs.parse_uint(fields[0])
        elif key == b"softirq" and fields:
            counts = line.split()[2:]
            if len(counts) < len(_VECTORS):
                raise ValueError(
                    f"stat:{number}: expected 10 softirq vectors, got {len(counts)}"
                )
            known = zip(_VECTORS, counts, strict=False)
            softirqs = {name: procfs.parse_uint(count) for name, count in known}
    return Stat(
        interrupts=numbers[b"intr"],
        context_switches=numbers[b"ctxt"],
        forks=numbers[b"processes"],
        boot_time_seconds=numbers[b"btime"],
        running=numbers[b"procs_running"],
        blocked=numbers[b"procs_blocked"],
        softirqs=softirqs,
    )


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/stat`` without its CPU lines."""
    file = context.proc("stat")
    with_softirqs = context.values[SOFTIRQ]

    def collect() -> Iterator[Metric]:
        stat = parse(file.read())
        yield from _families(stat)
        if with_softirqs:
            calls = CounterMetricFamily(
                "node_softirqs_total", "Number of softirq calls.", labels=["vector"]
            )
            for vector, count in stat.softirqs.items():
                calls.add_metric([vector], count)
            yield calls

    return collect


def _families(stat: Stat) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "node_intr_total", "Total number of interrupts serviced.", stat.interrupts
    )
    yield CounterMetricFamily(
        "node_context_switches_total",
        "Total number of context switches.",
        stat.context_switches,
    )
    yield CounterMetricFamily("node_forks_total", "Total number of forks.", stat.forks)
    yield GaugeMetricFamily(
        "node_boot_time_seconds",
        "Node boot time, in unixtime.",
        stat.boot_time_seconds,
    )
    yield GaugeMetricFamily(
        "node_procs_running", "Number of processes in runnable state.", stat.running
    )
    yield GaugeMetricFamily(
        "node_procs_blocked",
        "Number of processes blocked waiting for I/O to complete.",
        stat.blocked,
    )


COLLECTOR = CollectorSpec("stat", create, flags=(SOFTIRQ,))
