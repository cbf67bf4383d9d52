"""Open files of the whole host (node_exporter collector/filefd_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


class FileHandles(NamedTuple):
    """The two numbers of ``file-nr`` that mean something since Linux 2.6."""

    allocated: float
    maximum: float


def parse(data: bytes) -> FileHandles:
    """Return the file handles of a file-nr file. Raises ValueError."""
    fields = data.strip().split(b"\t")
    if len(fields) < 3:
        raise ValueError(f"file-nr: expected 3 fields by tabs, got {data[:60]!r}")
    return FileHandles(procfs.parse_number(fields[0]), procfs.parse_number(fields[2]))


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/sys/fs/file-nr``."""
    file = context.proc("sys/fs/file-nr")

    def collect() -> Iterator[Metric]:
        for name, value in parse(file.read())._asdict().items():
            yield GaugeMetricFamily(
                f"node_filefd_{name}", f"File descriptor statistics: {name}.", value
            )

    return collect


COLLECTOR = CollectorSpec("filefd", create)
