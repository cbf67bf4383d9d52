"""Seconds by CPU and mode (collector/cpu_darwin.go, cpu_freebsd.go and others)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import psutil

from exporters.node.portable import system
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import CounterMetricFamily, Metric


# psutil's name -> the mode. Times that are part of another mode are left out: of guests
# on Linux, of interrupts and deferred calls on Windows.
_MODES: Mapping[str, str] = {
    "user": "user",
    "nice": "nice",
    "system": "system",
    "idle": "idle",
    "iowait": "iowait",
    "irq": "irq",
    "softirq": "softirq",
    "steal": "steal",
}
_BSD = {**_MODES, "irq": "interrupt"}
_MODES_OF = {"freebsd": _BSD, "netbsd": _BSD, "openbsd": _BSD}


def create(_context: Context) -> Collect:
    """Return the collector of the CPUs' times."""

    def collect() -> Iterator[Metric]:
        yield family(psutil.cpu_times(percpu=True), system.current())

    return collect


def family(cpus: Iterable[Any], name: str) -> Metric:
    """Return the seconds of *cpus*, psutil's records on the system *name*."""
    seconds = CounterMetricFamily(
        "node_cpu_seconds_total",
        "Seconds the CPUs spent in each mode.",
        labels=("cpu", "mode"),
    )
    modes = _MODES_OF.get(name, _MODES)
    for number, times in enumerate(cpus):
        for field, value in times._asdict().items():
            if field in modes:
                seconds.add_metric((str(number), modes[field]), value)
    return seconds


COLLECTOR = CollectorSpec("cpu", create)
