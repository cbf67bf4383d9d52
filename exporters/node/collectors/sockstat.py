"""Sockets by protocol (node_exporter collector/sockstat_linux.go)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_STATES = ("inuse", "orphan", "tw", "alloc", "mem", "memory")


def parse(data: bytes) -> dict[str, dict[str, int]]:
    """Return the numbers of a sockstat or sockstat6 file, by protocol and state.

    Raises ValueError.
    """
    protocols: dict[str, dict[str, int]] = {}
    for number, line in procfs.lines(data):
        protocol, *pairs = line.split(b" ")
        if not pairs or len(pairs) % 2:
            raise ValueError(
                f"sockstat line {number}: expected 'PROTO: name N ...',"
                f" got {line[:60]!r}"
            )
        protocols[procfs.text(protocol).removesuffix(":")] = {
            procfs.text(name): procfs.parse_int(value)
            for name, value in zip(pairs[::2], pairs[1::2], strict=True)
        }
    return protocols


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/net/sockstat`` and ``sockstat6``."""
    ipv4 = context.proc("net/sockstat")
    ipv6 = context.proc("net/sockstat6")
    page_size = os.sysconf("SC_PAGE_SIZE")

    def collect() -> Iterator[Metric]:
        # A kernel without IPv4 or without IPv6 has no such file.
        protocols = parse(ipv4.read_optional() or b"")
        used = protocols.pop("sockets", None)
        protocols |= parse(ipv6.read_optional() or b"")
        if used is not None:
            yield GaugeMetricFamily(
                "node_sockstat_sockets_used",
                "Number of IPv4 sockets in use.",
                used.get("used", 0),
            )
        for protocol, states in protocols.items():
            yield from _families(protocol, states, page_size)

    return collect


def _families(
    protocol: str, states: dict[str, int], page_size: int
) -> Iterator[Metric]:
    shown = {"inuse": 0} | {s: states[s] for s in _STATES if s in states}
    if "mem" in shown:
        shown["mem_bytes"] = shown["mem"] * page_size  # the kernel counts pages
    for state, value in shown.items():
        yield GaugeMetricFamily(
            f"node_sockstat_{protocol}_{state}",
            f"Number of {protocol} sockets in state {state}.",
            value,
        )


COLLECTOR = CollectorSpec("sockstat", create)
