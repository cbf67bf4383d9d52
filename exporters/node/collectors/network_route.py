"""The routing tables (node_exporter collector/network_route_linux.go)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from exporters.node.network import network_devices, rtnetlink
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


if TYPE_CHECKING:
    from exporters.node.network.routes import Route

_LABELS = ("device", "src", "dest", "gw", "priority", "proto", "weight")
# linux/rtnetlink.h RTPROT_*
_PROTOCOLS = {
    0: "unspec",
    1: "redirect",
    2: "kernel",
    3: "boot",
    4: "static",
    8: "gated",
    9: "ra",
    10: "mrt",
    11: "zebra",
    12: "bird",
    13: "dnrouted",
    14: "xorp",
    15: "ntk",
    16: "dhcp",
    17: "mrouted",
    42: "babel",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    192: "eigrp",
}

Labels = tuple[str, ...]


def create(context: Context) -> Collect:
    """Return the collector. Raises RegexError."""
    from exporters.node.network import routes  # noqa: PLC0415 - few want it

    devices = network_devices.device_filter(context.values)

    def collect() -> Iterator[Metric]:
        found = routes.read_routes()
        names = rtnetlink.interface_names(
            hop.interface_index for route in found for hop in route.hops
        )
        rows = [row for route in found for row in labels_of(route, names)]
        return families([row for row in rows if not devices.ignored(row[0])])

    return collect


def labels_of(route: Route, names: Mapping[int, str]) -> Iterator[Labels]:
    """Yield the labels of each hop of *route*; the device is "" where it is gone."""
    for hop in route.hops:
        yield (
            names.get(hop.interface_index, ""),
            route.source,
            route.destination,
            hop.gateway,
            str(route.priority),
            _PROTOCOLS.get(route.protocol, "unknown"),
            hop.weight,
        )


def families(rows: Sequence[Labels]) -> Iterator[Metric]:
    """Yield the families of *rows*, which are the labels of one hop each."""
    info = GaugeMetricFamily(
        "node_network_route_info", "network routing table information", labels=_LABELS
    )
    # The same route in two tables is one sample, and counts twice below.
    for labels in dict.fromkeys(rows):
        info.add_metric(labels, 1)
    total = GaugeMetricFamily(
        "node_network_routes", "network routes by interface", labels=("device",)
    )
    for device, count in Counter(row[0] for row in rows).items():
        total.add_metric((device,), count)
    yield from (info, total)


COLLECTOR = CollectorSpec(
    "network_route", create, default_enabled=False, flags=network_devices.FLAGS
)
