"""Seconds that each CPU spent in each mode, never going backwards.

Parses the cpu lines of /proc/stat (procfs stat.go) and holds the state that
node_exporter collector/cpu_linux.go holds: the kernel's idle and iowait counters do
jump back, and a CPU that comes back from hotplug starts again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

from exporters.node.procfs import parse_number


log = logging.getLogger(__name__)

IDLE_RESET_SECONDS = 3.0
"""An idle counter that falls by this much means that the CPU was off meanwhile."""

_TICKS_PER_SECOND = 100  # USER_HZ, which the kernel fixes for all programs


class CpuTimes(NamedTuple):
    """Seconds since boot. *guest* is part of *user*, *guest_nice* of *nice*."""

    user: float = 0.0
    nice: float = 0.0
    system: float = 0.0
    idle: float = 0.0
    iowait: float = 0.0
    irq: float = 0.0
    softirq: float = 0.0
    steal: float = 0.0
    guest: float = 0.0
    guest_nice: float = 0.0


_NOTHING = CpuTimes()
_FIELDS = len(CpuTimes._fields)


def parse_cpu_times(data: bytes) -> dict[int, CpuTimes]:
    """Return the times of each online CPU of a /proc/stat. Raises ValueError.

    Columns that an old kernel does not have are 0.
    """
    found: dict[int, CpuTimes] = {}
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.startswith(b"cpu"):
            continue
        name, *columns = line.split()
        if name == b"cpu" or not columns:
            continue
        try:
            ticks = map(parse_number, columns[:_FIELDS])
            times = CpuTimes(*(tick / _TICKS_PER_SECOND for tick in ticks))
            found[int(name[3:])] = times
        except ValueError as error:
            raise ValueError(
                f"stat:{number}: expected 'cpuN numbers': {error}"
            ) from None
    return found


class SteadyCpuTimes:
    """The last times of each CPU; for one caller at a time."""

    def __init__(self) -> None:
        self._times: dict[int, CpuTimes] = {}

    def update(self, times: Mapping[int, CpuTimes]) -> Mapping[int, CpuTimes]:
        """Take the kernel's *times* and return those to show, without offline CPUs."""
        self._times = {
            cpu: _steady(cpu, self._times.get(cpu, _NOTHING), new)
            for cpu, new in times.items()
        }
        return self._times


def _steady(cpu: int, old: CpuTimes, new: CpuTimes) -> CpuTimes:
    if old.idle - new.idle >= IDLE_RESET_SECONDS:
        log.debug(
            "CPU Idle counter jumped backwards more than %f seconds,"
            " possible hotplug event, resetting CPU stats",
            IDLE_RESET_SECONDS,
            extra=_fields(cpu, old.idle, new.idle),
        )
        return CpuTimes(*map(max, _NOTHING, new))
    for name, before, now in zip(CpuTimes._fields, old, new, strict=True):
        if now < before:
            log.debug(
                "CPU %s counter jumped backwards",
                name,
                extra=_fields(cpu, before, now),
            )
    return CpuTimes(*map(max, old, new))


def _fields(cpu: int, old: float, new: float) -> Mapping[str, object]:
    return {"fields": {"cpu": cpu, "old_value": old, "new_value": new}}
