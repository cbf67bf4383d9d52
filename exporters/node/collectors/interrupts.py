"""Interrupts by line and CPU (node_exporter collector/interrupts_linux.go).

The kernel's side is kernel/irq/proc.c show_interrupts: a heading with a column for each
CPU that is online, then a line for each interrupt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.device_filter import DeviceFilter
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import boolean, string
from exporters.toolkit.metric import CounterMetricFamily, Metric


NAME_INCLUDE = string(
    "collector.interrupts.name-include",
    "Regexp of interrupts name to include (mutually exclusive to"
    " --collector.interrupts.name-exclude).",
)
NAME_EXCLUDE = string(
    "collector.interrupts.name-exclude",
    "Regexp of interrupts name to exclude (mutually exclusive to"
    " --collector.interrupts.name-include).",
)
INCLUDE_ZEROS = boolean(
    "collector.interrupts.include-zeros",
    "Include interrupts that have a zero value",
    default=True,
)


class Interrupt(NamedTuple):
    """One line; *counts* are not parsed yet, most hosts filter most lines."""

    name: str
    info: str
    devices: str
    counts: list[bytes]

    @property
    def filter_name(self) -> str:
        """Return what the flags' patterns look at."""
        return f"{self.name};{self.info};{self.devices}"


def parse(data: bytes) -> list[Interrupt]:
    """Return the lines of an interrupts file. Raises ValueError.

    Lines with fewer counts than CPUs (ERR and MIS are one number) are left out.
    """
    heading, *lines = data.split(b"\n")
    if not data:
        raise ValueError("interrupts: expected a line with the CPUs, got nothing")
    cpus = len(heading.split())
    found: dict[str, Interrupt] = {}
    for line in lines:
        # arm64 prints nothing between the colon and a long number.
        label, colon, rest = line.partition(b":")
        fields = rest.split()
        if colon and len(fields) > cpus:
            name = procfs.text(label.lstrip(b" "))
            words = [procfs.text(field) for field in fields[cpus:]]
            split = 1 if name.isdecimal() else len(words)
            info, devices = " ".join(words[:split]), " ".join(words[split:])
            found[name] = Interrupt(name, info, devices, fields[:cpus])
    return list(found.values())


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/interrupts``; raises RegexError."""
    values = context.values
    path = context.paths.proc("interrupts")
    names = DeviceFilter.compile(values[NAME_EXCLUDE], values[NAME_INCLUDE])
    with_zeros = values[INCLUDE_ZEROS]

    def collect() -> Iterator[Metric]:
        counter = CounterMetricFamily(
            "node_interrupts_total",
            "Interrupt details.",
            labels=("cpu", "type", "info", "devices"),
        )
        failure: ValueError | None = None
        found = parse(procfs.read(path))
        for interrupt in (i for i in found if not names.ignored(i.filter_name)):
            try:
                _add(counter, interrupt, with_zeros=with_zeros)
            except ValueError as error:
                failure = failure or ValueError(f"{path}: {interrupt.name}: {error}")
        yield counter
        if failure is not None:
            raise failure

    return collect


def _add(
    counter: CounterMetricFamily, interrupt: Interrupt, *, with_zeros: bool
) -> None:
    name, info, devices, counts = interrupt
    # The number of the column, which is not the CPU's where one is offline.
    for cpu, value in enumerate(map(procfs.parse_number, counts)):
        if with_zeros or value:
            counter.add_metric((str(cpu), name, info, devices), value)


COLLECTOR = CollectorSpec(
    "interrupts",
    create,
    default_enabled=False,
    flags=(NAME_INCLUDE, NAME_EXCLUDE, INCLUDE_ZEROS),
)
