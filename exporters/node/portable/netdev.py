"""Network device counters (collector/netdev_darwin.go, netdev_bsd.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psutil

from exporters.node.collectors import netdev
from exporters.node.portable import system
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


_KEYS = {
    "bytes_recv": "receive_bytes",
    "packets_recv": "receive_packets",
    "errin": "receive_errors",
    "dropin": "receive_dropped",
    "bytes_sent": "transmit_bytes",
    "packets_sent": "transmit_packets",
    "errout": "transmit_errors",
    "dropout": "transmit_dropped",
}
# The kernel does not count it there; psutil says 0.
_MISSING_ON = {"darwin": "transmit_dropped", "netbsd": "transmit_dropped"}
_OF_LINUX = (netdev.ADDRESS_INFO, netdev.NETLINK, netdev.LABEL_IFALIAS)


def create(context: Context) -> Collect:
    """Return the collector. Raises StartError for contradicting filters."""
    devices = netdev.device_filter(context.values)
    detailed = context.values[netdev.DETAILED_METRICS]

    def collect() -> Iterator[Metric]:
        found = psutil.net_io_counters(pernic=True, nowrap=False)
        kept = {
            name: counters(record, system.current())
            for name, record in found.items()
            if not devices.ignored(name)
        }
        if not detailed:
            kept = {name: netdev.legacy(each) for name, each in kept.items()}
        yield from netdev.families(kept, {})

    return collect


def counters(record: Any, on: str) -> netdev.Stats:
    """Return the counters of psutil's *record* by upstream's key on the system *on*."""
    missing = _MISSING_ON.get(on)
    return {
        key: getattr(record, field) for field, key in _KEYS.items() if key != missing
    }


COLLECTOR = CollectorSpec(
    "netdev",
    create,
    flags=tuple(flag for flag in netdev.COLLECTOR.flags if flag not in _OF_LINUX),
)
