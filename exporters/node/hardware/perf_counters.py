"""The perf counters of this process: opened once, read at every scrape."""

from __future__ import annotations

import logging
import os
import resource
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from exporters.node.errno_text import error_text
from exporters.node.families import Families
from exporters.node.hardware import perf_events
from exporters.node.hardware.perf_events import Event
from exporters.node.hardware.perf_profilers import Profiler
from exporters.node.hardware.tracefs import Tracepoint
from exporters.toolkit.errors import StartError


log = logging.getLogger(__name__)

# For everything but the counters: connections of scrapers, files of collectors.
_SPARE_DESCRIPTORS = 512


class Counter(NamedTuple):
    """An event that is being counted on one CPU."""

    profiler: Profiler
    cpu: int
    descriptor: int


class Group(NamedTuple):
    """The tracepoints that are being counted on one CPU; the first is to read."""

    tracepoints: Sequence[Tracepoint]
    cpu: int
    descriptors: Sequence[int]


class Counters:
    """Everything that is being counted; :meth:`close` ends it."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._counters: list[Counter] = []
        self._groups: list[Group] = []

    def add_profilers(
        self, kind: str, profilers: Sequence[Profiler], cpus: Iterable[int]
    ) -> None:
        """Count what *profilers* name on *cpus*.

        What the host refuses is left out, with one line in the log for the *kind*: a
        virtual machine often has no hardware events at all.
        """
        wanted = [(profiler, cpu) for cpu in cpus for profiler in profilers]
        allow_descriptors(len(wanted))
        problems: list[str] = []  # texts: an exception would keep frames alive
        for profiler, cpu in wanted:
            try:
                descriptor = perf_events.open_counter(profiler.event, cpu)
            except OSError as error:
                problems.append(error_text(error))
            else:
                self._counters.append(Counter(profiler, cpu, descriptor))
        if problems:
            fields = {
                "kind": kind,
                "refused": len(problems),
                "wanted": len(wanted),
                "err": problems[0],
            }
            log.warning("perf events cannot be counted", extra={"fields": fields})

    def add_tracepoints(
        self, tracepoints: Sequence[tuple[Tracepoint, Event]], cpus: Sequence[int]
    ) -> None:
        """Count *tracepoints* on *cpus*. Raises StartError where one is refused."""
        allow_descriptors(len(tracepoints) * len(cpus))
        names = [name for name, _ in tracepoints]
        events = [event for _, event in tracepoints]
        for cpu in cpus:
            try:
                descriptors = perf_events.open_group(events, cpu)
            except OSError as error:
                self.close()
                raise StartError(
                    f"Failed to open perf tracepoints on cpu {cpu}: {error}"
                ) from error
            self._groups.append(Group(names, cpu, descriptors))

    def read(self) -> Families:
        """Return the counters as they are now. Raises OSError and ValueError."""
        families = Families()
        for counter in self._counters:
            value = perf_events.read_counter(counter.descriptor)
            if value is not None:
                _, _, metric, text = counter.profiler
                _add(families, metric, text, counter.cpu, value)
        for group in self._groups:
            count = len(group.tracepoints)
            values = perf_events.read_group(group.descriptors[0], count)
            for tracepoint, value in zip(group.tracepoints, values, strict=False):
                text = f"Perf tracepoint {':'.join(tracepoint)}"
                _add(families, "_".join(tracepoint), text, group.cpu, value)
        return families

    def close(self) -> None:
        """Stop counting."""
        perf_events.close([counter.descriptor for counter in self._counters])
        for group in self._groups:
            perf_events.close(group.descriptors)
        self._counters.clear()
        self._groups.clear()


def _add(families: Families, metric: str, text: str, cpu: int, value: int) -> None:
    families.counter(f"node_perf_{metric}", text, float(value), {"cpu": str(cpu)})


def allow_descriptors(count: int) -> None:
    """Let this process open *count* descriptors more, as far as it may.

    The usual limit is 1024, and 35 CPUs are enough to reach it (node_exporter#2115).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = len(os.listdir("/proc/self/fd")) + count + _SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
