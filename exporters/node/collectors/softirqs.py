"""Soft interrupts by kind and CPU (node_exporter collector/softirqs_linux.go).

The kernel's side is fs/proc/softirqs.c; include/linux/interrupt.h has the ten kinds.
"""

from __future__ import annotations

from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import CounterMetricFamily, Metric


_KINDS = frozenset(
    {
        "HI",
        "TIMER",
        "NET_TX",
        "NET_RX",
        "BLOCK",
        "IRQ_POLL",
        "TASKLET",
        "SCHED",
        "HRTIMER",
        "RCU",
    }
)


def parse(data: bytes) -> dict[str, list[int]]:
    """Return the counts of a softirqs file, CPU by CPU, by kind.

    A kind that upstream does not know is left out. Raises ValueError.
    """
    if not data:
        raise ValueError("softirqs: expected a line with the CPUs, got nothing")
    counts: dict[str, list[int]] = {}
    for number, line in procfs.lines(data):
        label, *fields = line.split()
        kind = procfs.text(label)
        if number == 1 or not kind.endswith(":") or kind[:-1] not in _KINDS:
            continue
        try:
            counts[kind[:-1]] = [procfs.parse_uint(field) for field in fields]
        except ValueError as error:
            raise ValueError(f"softirqs:{number}: {error}") from error
    return counts


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/softirqs``."""
    path = context.paths.proc("softirqs")

    def collect() -> Iterator[Metric]:
        counter = CounterMetricFamily(
            "node_softirqs_functions_total",
            "Softirq counts per CPU.",
            labels=("cpu", "type"),
        )
        for kind, counts in parse(procfs.read(path)).items():
            for cpu, count in enumerate(counts):
                counter.add_metric((str(cpu), kind), count)
        yield counter

    return collect


COLLECTOR = CollectorSpec("softirqs", create, default_enabled=False)
