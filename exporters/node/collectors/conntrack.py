"""Netfilter's connection tracking (node_exporter collector/conntrack_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.kept_file import KeptFile
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_COLUMNS = 16  # Linux before 2.6.35; a 17th, search_restart, came then
# (name, column, help) of net/netfilter/nf_conntrack_standalone.c ct_cpu_seq_show
_STATISTICS = (
    ("found", 2, "Number of searched entries which were successful."),
    ("invalid", 4, "Number of packets seen which can not be tracked."),
    (
        "ignore",
        5,
        "Number of packets seen which are already connected to a conntrack entry.",
    ),
    ("insert", 8, "Number of entries inserted into the list."),
    (
        "insert_failed",
        9,
        "Number of entries for which list insertion was attempted but failed.",
    ),
    ("drop", 10, "Number of packets dropped due to conntrack failure."),
    (
        "early_drop",
        11,
        (
            "Number of dropped conntrack entries to make room for new ones,"
            " if maximum table size was reached."
        ),
    ),
    (
        "search_restart",
        16,
        (
            "Number of conntrack table lookups which had to be restarted"
            " due to hashtable resizes."
        ),
    ),
)


def parse(data: bytes) -> dict[str, int]:
    """Return the counters of a ``net/stat/nf_conntrack`` file, summed over the CPUs.

    Raises ValueError.
    """
    totals = {name: 0 for name, _, _ in _STATISTICS}
    for number, line in procfs.lines(data):
        if number == 1:  # the names of the columns
            continue
        row = [procfs.parse_uint(field, base=16) for field in line.split()]
        if not _COLUMNS <= len(row) <= _COLUMNS + 1:
            raise ValueError(
                f"nf_conntrack:{number}: expected 16 or 17 fields, got {len(row)}"
            )
        for name, column, _ in _STATISTICS:
            totals[name] += row[column] if column < len(row) else 0
    return totals


def create(context: Context) -> Collect:
    """Return the collector of the conntrack table's size and counters."""
    count = context.proc("sys/net/netfilter/nf_conntrack_count")
    limit = context.proc("sys/net/netfilter/nf_conntrack_max")
    statistics = context.proc("net/stat/nf_conntrack")

    def collect() -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "node_nf_conntrack_entries",
            "Number of currently allocated flow entries for connection tracking.",
            procfs.parse_uint(_present(count)),
        )
        yield GaugeMetricFamily(
            "node_nf_conntrack_entries_limit",
            "Maximum size of connection tracking table.",
            procfs.parse_uint(_present(limit)),
        )
        totals = parse(_present(statistics))
        for name, _, text in _STATISTICS:
            yield GaugeMetricFamily(
                f"node_nf_conntrack_stat_{name}", text, totals[name]
            )

    return collect


def _present(file: KeptFile) -> bytes:
    data = file.read_optional()
    if data is None:
        raise NoData(f"{file.path} does not exist: nf_conntrack is probably not loaded")
    return data


COLLECTOR = CollectorSpec("conntrack", create)
