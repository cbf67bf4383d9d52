"""Packets handled by each CPU (node_exporter collector/softnet_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric


class Row(NamedTuple):
    """One CPU's line; a column that this kernel has not yet is 0."""

    cpu: int
    processed: int
    dropped: int
    times_squeezed: int
    cpu_collision: int
    received_rps: int
    flow_limit_count: int
    backlog_len: int


_COUNTERS = (
    ("processed", "Number of processed packets"),
    ("dropped", "Number of dropped packets"),
    ("times_squeezed", "Number of times processing packets ran out of quota"),
    (
        "cpu_collision",
        "Number of collision occur while obtaining device lock while transmitting",
    ),
    ("received_rps", "Number of times cpu woken up received_rps"),
    ("flow_limit_count", "Number of times flow limit has been reached"),
)


def parse(data: bytes) -> list[Row]:
    """Return the rows of a softnet_stat file (net/core/net-procfs.c).

    Columns came with Linux 2.6.39 (10), 4.18 (11) and 5.14 (13, which names the
    CPU: before it is the number of the line). Raises ValueError.
    """
    rows: list[Row] = []
    for number, line in procfs.lines(data):
        fields = line.split()
        if len(fields) < 9:
            raise ValueError(
                f"softnet_stat:{number}: expected at least 9 fields, got {len(fields)}"
            )
        row = [procfs.parse_uint(field, base=16) for field in fields[:13]]
        has_cpu = len(row) == 13
        row += [0] * (13 - len(row))
        rows.append(
            Row(
                cpu=row[12] if has_cpu else len(rows),
                processed=row[0],
                dropped=row[1],
                times_squeezed=row[2],
                cpu_collision=row[8],
                received_rps=row[9],
                flow_limit_count=row[10],
                backlog_len=row[11] if has_cpu else 0,
            )
        )
    return rows


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/net/softnet_stat``."""
    file = context.proc("net/softnet_stat")

    def collect() -> Iterator[Metric]:
        rows = parse(file.read())
        for name, text in _COUNTERS:
            counter = CounterMetricFamily(
                f"node_softnet_{name}_total", text, labels=["cpu"]
            )
            for row in rows:
                counter.add_metric([str(row.cpu)], getattr(row, name))
            yield counter
        backlog = GaugeMetricFamily(
            "node_softnet_backlog_len", "Softnet backlog status", labels=["cpu"]
        )
        for row in rows:
            backlog.add_metric([str(row.cpu)], row.backlog_len)
        yield backlog

    return collect


COLLECTOR = CollectorSpec("softnet", create)
