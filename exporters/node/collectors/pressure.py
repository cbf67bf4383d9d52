"""Pressure stall information (node_exporter collector/pressure_linux.go).

The kernel's side is Documentation/accounting/psi.rst: totals in microseconds.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.kept_file import KeptFile
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import CounterMetricFamily, Metric


log = logging.getLogger(__name__)

_LACKING = (
    "pressure information is unavailable: it needs Linux >= 4.20 with CONFIG_PSI"
    " (irq: >= 6.1)"
)


class _Series(NamedTuple):
    name: str
    line: str  # "some" tasks were stalled, or all of them: "full"
    help: str


# "full" of cpu exists only to look regular, and irq has no "some" (psi_types.h).
_RESOURCES: dict[str, tuple[_Series, ...]] = {
    "cpu": (
        _Series(
            "cpu_waiting",
            "some",
            "Total time in seconds that processes have waited for CPU time",
        ),
    ),
    "io": (
        _Series(
            "io_waiting",
            "some",
            "Total time in seconds that processes have waited due to IO congestion",
        ),
        _Series(
            "io_stalled",
            "full",
            "Total time in seconds no process could make progress due to IO congestion",
        ),
    ),
    "memory": (
        _Series(
            "memory_waiting",
            "some",
            "Total time in seconds that processes have waited for memory",
        ),
        _Series(
            "memory_stalled",
            "full",
            "Total time in seconds no process could make progress due to memory"
            " congestion",
        ),
    ),
    "irq": (
        _Series(
            "irq_stalled",
            "full",
            "Total time in seconds no process could make progress due to IRQ"
            " congestion",
        ),
    ),
}


def parse(data: bytes) -> dict[str, int]:
    """Return the totals in microseconds of a pressure file, by "some" and "full".

    Lines of another kind are left out: the kernel may add some. Raises ValueError.
    """
    totals: dict[str, int] = {}
    for number, line in procfs.lines(data):
        kind, *pairs = line.split()
        if kind not in {b"some", b"full"}:
            continue
        values = dict(pair.split(b"=", 1) for pair in pairs if b"=" in pair)
        if b"total" not in values:
            raise ValueError(f"line {number}: expected total=N, got {line[:60]!r}")
        totals[kind.decode()] = procfs.parse_uint(values[b"total"])
    return totals


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/pressure``."""
    files = {name: context.proc("pressure", name) for name in _RESOURCES}

    def collect() -> Iterator[Metric]:
        found = False
        for resource, file in files.items():
            data = _read(file)
            if data is None:
                log.debug("%s", _LACKING, extra={"fields": {"resource": resource}})
                continue
            found = True
            yield from _families(resource, parse(data))
        if not found:
            raise NoData(_LACKING)

    return collect


def _read(file: KeptFile) -> bytes | None:
    try:
        return file.read_optional()
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise NoData("pressure information is off: boot with psi=1") from error
        raise


def _families(resource: str, totals: dict[str, int]) -> Iterator[Metric]:
    if any(series.line not in totals for series in _RESOURCES[resource]):
        raise NoData(f"pressure/{resource} lacks its 'some' or 'full' line")
    for series in _RESOURCES[resource]:
        # Two divisions, as upstream: one by 1e6 rounds otherwise.
        seconds = totals[series.line] / 1000.0 / 1000.0
        yield CounterMetricFamily(
            f"node_pressure_{series.name}_seconds_total", series.help, seconds
        )


COLLECTOR = CollectorSpec("pressure", create)
