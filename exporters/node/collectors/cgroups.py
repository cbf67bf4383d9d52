"""Control groups by controller (node_exporter collector/cgroups_linux.go).

The kernel's side is cgroups(7), "/proc/cgroups".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_HELP = "Current cgroup number of the subsystem."  # of both, as upstream has it


class Controller(NamedTuple):
    """One line: how many groups use the controller, and whether it is enabled."""

    name: str
    cgroups: int
    enabled: int


def parse(data: bytes) -> list[Controller]:
    """Return the controllers of a cgroups file. Raises ValueError."""
    controllers: list[Controller] = []
    for number, line in procfs.lines(data):
        if line.startswith(b"#"):
            continue
        words = line.split()
        if len(words) < 4:
            raise ValueError(
                f"cgroups:{number}: expected 'name hierarchy cgroups enabled',"
                f" got {line[:60]!r}"
            )
        try:
            _, cgroups, enabled = map(procfs.parse_int, words[1:4])
        except ValueError as error:
            raise ValueError(f"cgroups:{number}: {error}") from error
        controllers.append(Controller(procfs.text(words[0]), cgroups, enabled))
    return controllers


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/cgroups``."""
    path = context.paths.proc("cgroups")

    def collect() -> Iterator[Metric]:
        controllers = parse(procfs.read(path))
        for name in ("cgroups", "enabled"):
            gauge = GaugeMetricFamily(
                f"node_cgroups_{name}", _HELP, labels=("subsys_name",)
            )
            for controller in controllers:
                gauge.add_metric((controller.name,), getattr(controller, name))
            yield gauge

    return collect


COLLECTOR = CollectorSpec("cgroups", create, default_enabled=False)
