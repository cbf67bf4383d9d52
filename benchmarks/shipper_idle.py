"""What containers cost that log nothing: CPU while time passes, and memory for each."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.process import BenchmarkError, cpu_seconds, memory
from benchmarks.shipper_containers import engine
from benchmarks.shipper_programs import Scene, Shipper, receiving, shippers, shipping
from benchmarks.shipper_table import Column, show


SETTLE_SECONDS: Final = 10.0
"""Before it is measured: batches are sent, positions written, garbage collected."""

SLICES: Final = 3
"""Each is as long as two refreshes of the list of containers, or more."""

PATIENCE_SECONDS: Final = 120.0


class Idle(NamedTuple):
    """A shipper that reads some containers which log nothing.

    *slices* of the time that it was watched: CPU seconds per hour in each.
    """

    slices: tuple[float, ...]
    rss: int

    @property
    def cpu_per_hour(self) -> float:
        return statistics.fmean(self.slices)


class Pair(NamedTuple):
    """A shipper without any container, and with some."""

    none: Idle
    some: Idle


def measure_idle(containers: int, seconds: int, folder: Path) -> dict[str, Pair]:
    """Watch each shipper with *containers* and with none for *seconds*."""
    with engine() as docker, receiving(folder) as receiver:
        scene = Scene(folder, receiver, docker)
        docker.start_idle(containers)
        return {
            shipper.name: Pair(
                rest(shipper, scene, 0, seconds),
                rest(shipper, scene, containers, seconds),
            )
            for shipper in shippers()
        }


def compare_idle(containers: int, seconds: int, folder: Path) -> None:
    """Watch each shipper with *containers* and with none for *seconds*; print."""
    print(f"{containers} containers that log nothing, {seconds} s")
    found = measure_idle(containers, seconds, folder)
    print(show([column(name, *pair, containers) for name, pair in found.items()]))


def rest(shipper: Shipper, scene: Scene, containers: int, seconds: int) -> Idle:
    """Run *shipper* until it has shipped a line of each container; then measure."""
    group = "idle" if containers else "none"
    with shipping(shipper, scene, group) as at_work:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while containers and (sent := at_work.sent()) < containers:
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{shipper.name}: {sent} lines of {containers}")
            time.sleep(0.5)
        time.sleep(SETTLE_SECONDS)
        pid = at_work.running.pid
        used = tuple(_watch(pid, seconds / SLICES) for _ in range(SLICES))
        return Idle(used, memory(pid).rss)


def _watch(pid: int, seconds: float) -> float:
    """Return the CPU seconds per hour that *pid* takes in *seconds* from now on."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) * 3600 / seconds


def column(name: str, none: Idle, some: Idle, containers: int) -> Column:
    """Return what to print of a shipper."""
    return Column(
        name,
        {
            "CPU s / hour": [some.cpu_per_hour],
            "  without any": [none.cpu_per_hour],
            "RSS, MiB": [some.rss / 2**20],
            "  without a container": [none.rss / 2**20],
            "RSS / container, KiB": [(some.rss - none.rss) / containers / 1024],
        },
    )
