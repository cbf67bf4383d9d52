"""What the scheduler spent on each CPU (node_exporter collector/schedstat_linux.go).

The kernel's side is Documentation/scheduler/sched-stats.rst: nanoseconds, whatever
older texts say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import CounterMetricFamily, Metric


_CPU = re.compile(rb"cpu([0-9]+)(?: [0-9]+){6} ([0-9]+) ([0-9]+) ([0-9]+)")
_NANOSECONDS = 1e9


class Cpu(NamedTuple):
    """One CPU's line: times in seconds."""

    number: str
    running_seconds: float
    waiting_seconds: float
    timeslices: int


_COUNTERS = (
    ("running_seconds", "Number of seconds CPU spent running a process."),
    (
        "waiting_seconds",
        "Number of seconds spent by processing waiting for this CPU.",
    ),
    ("timeslices", "Number of timeslices executed by CPU."),
)


def parse(data: bytes) -> list[Cpu]:
    """Return the CPUs of a schedstat file. Never raises.

    Upstream takes the lines that look right and leaves all others out, the lines of
    the domains among them.
    """
    cpus: list[Cpu] = []
    for _, line in procfs.lines(data):
        match = _CPU.search(line)
        if match is None:
            continue
        try:
            running, waiting, slices = map(procfs.parse_uint, match.groups()[1:])
        except ValueError:  # more than 64 bits
            continue
        number = match[1].decode()
        cpus.append(Cpu(number, running / _NANOSECONDS, waiting / _NANOSECONDS, slices))
    return cpus


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/schedstat``."""
    file = context.proc("schedstat")

    def collect() -> Iterator[Metric]:
        data = file.read_optional()
        if data is None:
            raise NoData(f"{file.path} does not exist: it needs CONFIG_SCHEDSTATS")
        cpus = parse(data)
        for name, text in _COUNTERS:
            counter = CounterMetricFamily(
                f"node_schedstat_{name}_total", text, labels=["cpu"]
            )
            for cpu in cpus:
                counter.add_metric([cpu.number], getattr(cpu, name))
            yield counter

    return collect


COLLECTOR = CollectorSpec("schedstat", create)
