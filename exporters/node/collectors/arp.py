"""Entries of the ARP table by device (node_exporter collector/arp_linux.go)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from exporters.node import procfs
from exporters.node.network import network_devices, rtnetlink
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import boolean, string
from exporters.toolkit.metric import GaugeMetricFamily, Metric


DEVICE_INCLUDE = string(
    "collector.arp.device-include",
    "Regexp of arp devices to include (mutually exclusive to device-exclude).",
)
DEVICE_EXCLUDE = string(
    "collector.arp.device-exclude",
    "Regexp of arp devices to exclude (mutually exclusive to device-include).",
)
NETLINK = boolean(
    "collector.arp.netlink",
    "Use netlink to gather stats instead of /proc/net/arp.",
    default=True,
)

_COLUMNS, _HEADER_COLUMNS = 6, 9


def create(context: Context) -> Collect:
    """Return the collector. Both filters apply when both are given, as upstream."""
    values = context.values
    devices = network_devices.device_filter(
        values, values[DEVICE_EXCLUDE], values[DEVICE_INCLUDE]
    )
    path = context.paths.proc("net", "arp")
    # Netlink knows of the network that this process is in, and --path.net of another.
    use_netlink = values[NETLINK] and not context.paths.net

    def collect() -> Iterator[Metric]:
        entries = read_netlink() if use_netlink else parse(procfs.read(path))
        family = GaugeMetricFamily(
            "node_arp_entries", "ARP entries by device", labels=("device",)
        )
        for device, count in entries.items():
            if not devices.ignored(device):
                family.add_metric((device,), count)
        if family:
            yield family

    return collect


def read_netlink() -> Mapping[str, int]:
    """Return the number of entries by device, as /proc/net/arp would list them.

    Raises OSError and NetlinkError.
    """
    indices = [
        entry.interface_index
        for entry in rtnetlink.read_arp_table()
        if not entry.state & rtnetlink.NUD_NOARP
    ]
    names = rtnetlink.interface_names(indices)
    return Counter(names[index] for index in indices if index in names)


def parse(data: bytes) -> Mapping[str, int]:
    """Return the number of entries by device of a net/arp file. Raises ValueError."""
    devices: list[str] = []
    for number, line in procfs.lines(data):
        columns = line.split()
        if len(columns) == _COLUMNS:
            devices.append(procfs.text(columns[-1]))
        elif len(columns) != _HEADER_COLUMNS:
            raise ValueError(
                f"net/arp:{number}: {len(columns)} columns found,"
                f" but expected {_COLUMNS}"
            )
    return Counter(devices)


COLLECTOR = CollectorSpec(
    "arp",
    create,
    flags=(DEVICE_INCLUDE, DEVICE_EXCLUDE, NETLINK, *network_devices.FLAGS),
)
