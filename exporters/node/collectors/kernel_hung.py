"""Tasks found hung by khungtaskd (node_exporter collector/kernel_hung_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import CounterMetricFamily, Metric


def create(context: Context) -> Collect:
    """Return the collector of ``hung_task_detect_count`` (Linux 6.13 and later)."""
    file = context.proc("sys/kernel/hung_task_detect_count")

    def collect() -> Iterator[Metric]:
        data = file.read_optional()
        if data is None:
            raise NoData(f"{file.path} does not exist: Linux >= 6.13 has it")
        yield CounterMetricFamily(
            "node_kernel_hung_tasks_total",
            "Total number of tasks that have been detected as hung since the system"
            " booted.",
            procfs.parse_uint(data),
        )

    return collect


COLLECTOR = CollectorSpec("kernel_hung", create)
