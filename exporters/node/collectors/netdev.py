"""Network device counters (collector/netdev_common.go, netdev_linux.go)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping

from exporters.node import procfs, sysfs
from exporters.node.device_filter import DeviceFilter, log_pattern, renamed
from exporters.node.network import network_devices, rtnetlink
from exporters.node.paths import Paths
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Values, boolean, string
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric


DEVICE_INCLUDE = string(
    "collector.netdev.device-include",
    "Regexp of net devices to include (mutually exclusive to device-exclude).",
)
OLD_DEVICE_INCLUDE = string(
    "collector.netdev.device-whitelist",
    "DEPRECATED: Use collector.netdev.device-include",
    hidden=True,
)
DEVICE_EXCLUDE = string(
    "collector.netdev.device-exclude",
    "Regexp of net devices to exclude (mutually exclusive to device-include).",
)
OLD_DEVICE_EXCLUDE = string(
    "collector.netdev.device-blacklist",
    "DEPRECATED: Use collector.netdev.device-exclude",
    hidden=True,
)
ADDRESS_INFO = boolean(
    "collector.netdev.address-info", "Collect address-info for every device"
)
DETAILED_METRICS = boolean(
    "collector.netdev.enable-detailed-metrics",
    "Use (incompatible) metric names that provide more detailed stats on Linux",
)
NETLINK = boolean(
    "collector.netdev.netlink",
    "Use netlink to gather stats instead of /proc/net/dev.",
    default=True,
)
LABEL_IFALIAS = boolean("collector.netdev.label-ifalias", "Add ifAlias label")

Stats = dict[str, int]
"""Counters of one device by upstream's key, without ``_total``."""

_PROC_FIELDS = (
    "receive_bytes",
    "receive_packets",
    "receive_errors",
    "receive_dropped",
    "receive_fifo",
    "receive_frame",
    "receive_compressed",
    "receive_multicast",
    "transmit_bytes",
    "transmit_packets",
    "transmit_errors",
    "transmit_dropped",
    "transmit_fifo",
    "transmit_colls",
    "transmit_carrier",
    "transmit_compressed",
)
_HEADER_LINES = 2

# The old name <- the kernel's names that are summed up in it, as the kernel does for
# /proc/net/dev (net/core/net-procfs.c). The first one decides whether there is any.
_LEGACY: Mapping[str, tuple[str, ...]] = {
    "receive_errs": ("receive_errors",),
    "receive_drop": ("receive_dropped", "receive_missed_errors"),
    "receive_fifo": ("receive_fifo_errors",),
    "receive_frame": (
        "receive_frame_errors",
        "receive_length_errors",
        "receive_over_errors",
        "receive_crc_errors",
    ),
    "receive_multicast": ("multicast",),
    "transmit_errs": ("transmit_errors",),
    "transmit_drop": ("transmit_dropped",),
    "transmit_fifo": ("transmit_fifo_errors",),
    "transmit_colls": ("collisions",),
    "transmit_carrier": (
        "transmit_carrier_errors",
        "transmit_aborted_errors",
        "transmit_heartbeat_errors",
        "transmit_window_errors",
    ),
}
_UINT64_MASK = 2**64 - 1


def create(context: Context) -> Collect:
    """Return the collector. Raises StartError for contradicting filters."""
    values, paths = context.values, context.paths
    devices = device_filter(values)
    # Netlink knows of the network that this process is in, and --path.net of another.
    use_netlink = values[NETLINK] and not paths.net
    detailed = values[DETAILED_METRICS]
    with_addresses, with_alias = values[ADDRESS_INFO], values[LABEL_IFALIAS]

    def collect() -> Iterator[Metric]:
        found = (
            read_netlink()
            if use_netlink
            else parse(procfs.read(paths.proc("net", "dev")))
        )
        kept = {name: s for name, s in found.items() if not devices.ignored(name)}
        if not detailed:
            kept = {name: legacy(stats) for name, stats in kept.items()}
        yield from families(kept, read_aliases(paths, kept) if with_alias else {})
        if with_addresses and (addresses := address_info(devices)):
            yield addresses

    return collect


def device_filter(values: Values) -> DeviceFilter:
    """Return the filter of the flags, old names included. Raises StartError."""
    include = renamed(values, DEVICE_INCLUDE, OLD_DEVICE_INCLUDE)
    exclude = renamed(values, DEVICE_EXCLUDE, OLD_DEVICE_EXCLUDE)
    if include and exclude:
        raise StartError("device-exclude & device-include are mutually exclusive")
    log_pattern(DEVICE_EXCLUDE, exclude)
    log_pattern(DEVICE_INCLUDE, include)
    return network_devices.device_filter(values, exclude, include)


def read_netlink() -> dict[str, Stats]:
    """Return the counters of every device. Raises OSError and NetlinkError."""
    return {
        link.name: dict(zip(rtnetlink.STATS_FIELDS, link.stats, strict=True))
        for link in rtnetlink.read_links()
        if link.stats is not None
    }


def parse(data: bytes) -> dict[str, Stats]:
    """Return the counters of every device in a net/dev file. Raises ValueError."""
    found: dict[str, Stats] = {}
    for number, line in procfs.lines(data):
        if number <= _HEADER_LINES:
            continue
        name, colon, rest = line.rpartition(b":")
        fields = rest.split()
        if not colon or not name.strip() or len(fields) < len(_PROC_FIELDS):
            raise ValueError(
                f"net/dev:{number}: expected 'name: 16 numbers', got {line!r}"
            )
        counters = map(procfs.parse_uint, fields)
        found[procfs.text(name.strip())] = dict(
            zip(_PROC_FIELDS, counters, strict=False)
        )
    return found


def legacy(stats: Stats) -> Stats:
    """Return *stats* under the names, and with the sums, of /proc/net/dev."""
    # Which there are is the same at every scrape, and for nearly every device: 8 us for
    # one became 2.
    same, summed = _plan(tuple(stats))
    kept = {name: stats[name] for name in same}
    for name, sources in summed:
        total = 0
        for source in sources:
            total += stats[source]
        kept[name] = total & _UINT64_MASK
    return kept


@functools.lru_cache(maxsize=64)
def _plan(keys: tuple[str, ...]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return which of *keys* stay as they are, and the sums of others by old name."""
    summed = {
        name: [source for source in sources if source in keys]
        for name, sources in _LEGACY.items()
        if sources[0] in keys
    }
    gone = {source for sources in summed.values() for source in sources}
    return [key for key in keys if key not in gone], list(summed.items())


def families(
    devices: Mapping[str, Stats], aliases: Mapping[str, str]
) -> Iterable[Metric]:
    """Return one counter family per key; *aliases* add the label ifalias."""
    names = ("device", "ifalias") if aliases else ("device",)
    found: dict[str, CounterMetricFamily] = {}
    for device, stats in devices.items():
        labels = (device, aliases.get(device, "")) if aliases else (device,)
        for key, value in stats.items():
            family = found.get(key)
            if family is None:
                family = found[key] = CounterMetricFamily(
                    f"node_network_{key}_total",
                    f"Network device statistic {key}.",
                    labels=names,
                )
            family.rows.append(labels)
            family.values.append(value)
    return found.values()


def read_aliases(paths: Paths, devices: Iterable[str]) -> dict[str, str]:
    """Return the alias of each of *devices*, "" where it has none."""
    return {
        device: sysfs.read_optional(paths.sys("class", "net", device, "ifalias")) or ""
        for device in devices
    }


def address_info(devices: DeviceFilter) -> Metric:
    """Return the addresses of this network namespace. Raises OSError, NetlinkError."""
    family = GaugeMetricFamily(
        "node_network_address_info",
        "node network address by device",
        labels=("device", "address", "netmask", "scope"),
    )
    addresses = rtnetlink.read_addresses()
    names = rtnetlink.interface_names(a.interface_index for a in addresses)
    samples = {
        (names[a.interface_index], a.text, str(a.prefix_length), a.scope)
        for a in addresses
        if a.interface_index in names
    }
    for labels in sorted(samples):
        if not devices.ignored(labels[0]):
            family.add_metric(labels, 1)
    return family


COLLECTOR = CollectorSpec(
    "netdev",
    create,
    flags=(
        DEVICE_INCLUDE,
        OLD_DEVICE_INCLUDE,
        DEVICE_EXCLUDE,
        OLD_DEVICE_EXCLUDE,
        ADDRESS_INFO,
        DETAILED_METRICS,
        NETLINK,
        LABEL_IFALIAS,
        *network_devices.FLAGS,
    ),
)
