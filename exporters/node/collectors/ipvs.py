"""IPVS, the kernel's load balancer (node_exporter collector/ipvs_linux.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exporters.node import procfs
from exporters.node.network.ip_vs import Backend, parse, parse_stats
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import string
from exporters.toolkit.gotext import quote
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric


_LABELS = (
    "local_address",
    "local_port",
    "remote_address",
    "remote_port",
    "proto",
    "local_mark",
)

BACKEND_LABELS = string(
    "collector.ipvs.backend-labels",
    "Comma separated list for IPVS backend stats labels.",
    default=",".join(_LABELS),
)

# In the order of the columns of ip_vs_stats.
_TOTALS = (
    ("connections", "The total number of connections made."),
    ("incoming_packets", "The total number of incoming packets."),
    ("outgoing_packets", "The total number of outgoing packets."),
    ("incoming_bytes", "The total amount of incoming data."),
    ("outgoing_bytes", "The total amount of outgoing data."),
)
# In the order of what sums() adds up.
_GAUGES = (
    (
        "connections_active",
        "The current active connections by local and remote address.",
    ),
    (
        "connections_inactive",
        "The current inactive connections by local and remote address.",
    ),
    ("weight", "The current backend weight by local and remote address."),
)


def parse_labels(text: str) -> tuple[str, ...]:
    """Return the labels that *text* names, in upstream's order.

    Raises StartError for one that there is not.
    """
    wanted = {label for label in text.split(",") if label}
    unknown = sorted(wanted.difference(_LABELS))
    if unknown:
        raise StartError(f"unknown IPVS backend labels: {quote(', '.join(unknown))}")
    return tuple(label for label in _LABELS if label in wanted)


def sums(
    backends: Iterable[Backend], labels: tuple[str, ...]
) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """Return active and inactive connections and weight by the values of *labels*."""
    found: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for backend in backends:
        values = _values(backend)
        key = tuple(values[label] for label in labels)
        active, inactive, weight = found.get(key, (0, 0, 0))
        found[key] = (
            active + backend.active,
            inactive + backend.inactive,
            weight + backend.weight,
        )
    return found


def _values(backend: Backend) -> dict[str, str]:
    return {
        "local_address": backend.service.address,
        "local_port": str(backend.service.port),
        "remote_address": backend.address,
        "remote_port": str(backend.port),
        "proto": backend.service.proto,
        "local_mark": backend.service.mark,
    }


def create(context: Context) -> Collect:
    """Return the collector. Raises StartError for an unknown label."""
    labels = parse_labels(context.values[BACKEND_LABELS])
    stats_path = context.paths.proc("net/ip_vs_stats")
    path = context.paths.proc("net/ip_vs")

    def collect() -> Iterator[Metric]:
        stats = procfs.read_optional(stats_path)
        if stats is None:
            raise NoData(f"{stats_path} does not exist: ip_vs is not loaded")
        for (name, text), value in zip(_TOTALS, parse_stats(stats), strict=True):
            yield CounterMetricFamily(f"node_ipvs_{name}_total", text, value)
        found = sums(parse(procfs.read(path)), labels)
        for position, (name, text) in enumerate(_GAUGES):
            gauge = GaugeMetricFamily(f"node_ipvs_backend_{name}", text, labels=labels)
            for key, values in found.items():
                gauge.add_metric(key, values[position])
            yield gauge

    return collect


COLLECTOR = CollectorSpec("ipvs", create, flags=(BACKEND_LABELS,))
