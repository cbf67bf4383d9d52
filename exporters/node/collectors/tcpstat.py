"""TCP sockets by state (node_exporter collector/tcpstat_linux.go)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


def create(context: Context) -> Collect:
    """Return the collector; IPv6 counts where this kernel has it."""
    from exporters.node.network import tcp_sockets  # noqa: PLC0415 - few want it

    tcp6 = context.paths.proc("net", "tcp6")

    def collect() -> Iterator[Metric]:
        messages = tcp_sockets.read_sockets(socket.AF_INET)
        if os.path.exists(tcp6):
            messages += tcp_sockets.read_sockets(socket.AF_INET6)
        family = GaugeMetricFamily(
            "node_tcp_connection_states",
            "Number of connection states.",
            labels=("state",),
        )
        for state, count in tcp_sockets.count(messages).items():
            family.add_metric((state,), count)
        yield family

    return collect


COLLECTOR = CollectorSpec("tcpstat", create, default_enabled=False)
