"""Bytes queued in UDP sockets (node_exporter collector/udp_queues_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import GaugeMetricFamily, Metric


class Queues(NamedTuple):
    """Bytes that wait in all sockets of one address family."""

    tx: int
    rx: int


def parse(data: bytes) -> Queues:
    """Return the sums over the sockets of a ``udp`` or ``udp6`` file.

    The fifth field is "tx_queue:rx_queue", both hexadecimal
    (net/ipv4/udp.c udp4_format_sock). Raises ValueError.
    """
    tx = rx = 0
    for number, line in procfs.lines(data):
        if number == 1:  # the names of the columns
            continue
        fields = line.split()
        sent, colon, received = (
            fields[4].partition(b":") if len(fields) >= 13 else (b"", b"", b"")
        )
        if not colon:
            raise ValueError(
                f"udp line {number}: expected 13 fields, the fifth 'tx:rx',"
                f" got {line[:60]!r}"
            )
        tx += procfs.parse_uint(sent, base=16)
        rx += procfs.parse_uint(received, base=16)
    return Queues(tx, rx)


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/net/udp`` and ``udp6``."""
    files = {"v4": context.proc("net/udp"), "v6": context.proc("net/udp6")}

    def collect() -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "node_udp_queues",
            "Number of allocated memory in the kernel for UDP datagrams in bytes.",
            labels=["queue", "ip"],
        )
        for ip, file in files.items():
            # A kernel without IPv4 or without IPv6 has no such file.
            data = file.read_optional()
            if data is not None:
                queues = parse(data)
                family.add_metric(["tx", ip], queues.tx)
                family.add_metric(["rx", ip], queues.rx)
        if not family:
            raise NoData(f"neither {files['v4'].path} nor {files['v6'].path} exists")
        yield family

    return collect


COLLECTOR = CollectorSpec("udp_queues", create)
