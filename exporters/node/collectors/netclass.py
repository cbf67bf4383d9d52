"""Properties of network interfaces (node_exporter collector/netclass_linux.go)."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping

from exporters.node import sysfs
from exporters.node.device_filter import DeviceFilter
from exporters.node.keeper import Keeper
from exporters.node.kept_attributes import KeptAttributes
from exporters.node.network import network_devices
from exporters.node.network.network_devices import BYTES_PER_MEGABIT, GONE, list_devices
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.flags import boolean, string
from exporters.toolkit.metric import (
    CounterMetricFamily,
    GaugeMetricFamily,
    LabelValues,
    Metric,
)


IGNORED_DEVICES = string(
    "collector.netclass.ignored-devices",
    "Regexp of net devices to ignore for netclass collector.",
    default="^$",
)
IGNORE_INVALID_SPEED = boolean(
    "collector.netclass.ignore-invalid-speed",
    "Ignore devices where the speed is invalid."
    " This will be the default behavior in 2.x.",
)
NETLINK = boolean(
    "collector.netclass.netlink",
    "Use netlink to gather stats instead of /proc/net/dev.",
)
WITH_STATS = boolean(
    "collector.netclass_rtnl.with-stats",
    "Expose the statistics for each network device, replacing netdev collector.",
)

Attributes = Mapping[str, str]
"""What an interface has in sysfs, by file name."""

# sysfs file -> family without "node_network_". The order is the kernel's business.
_NUMBERS: Mapping[str, str] = {
    "addr_assign_type": "address_assign_type",
    "carrier": "carrier",
    "carrier_changes": "carrier_changes_total",
    "carrier_up_count": "carrier_up_changes_total",
    "carrier_down_count": "carrier_down_changes_total",
    "dev_id": "device_id",
    "dormant": "dormant",
    "flags": "flags",
    "ifindex": "iface_id",
    "iflink": "iface_link",
    "link_mode": "iface_link_mode",
    "mtu": "mtu_bytes",
    "name_assign_type": "name_assign_type",
    "netdev_group": "net_dev_group",
    "speed": "speed_bytes",
    "tx_queue_len": "transmit_queue_length",
    "type": "protocol_type",
}
_TEXTS = ("address", "broadcast", "duplex", "operstate", "ifalias")
_FILES = (*_TEXTS, *_NUMBERS)
_INFO_LABELS = (
    "device",
    "address",
    "broadcast",
    "duplex",
    "operstate",
    "adminstate",
    "ifalias",
)
_IFF_UP = 1
_NOT_OURS = frozenset({errno.ENOENT, errno.EACCES, errno.EPERM})


def create(context: Context) -> Collect:
    """Return the collector. Raises RegexError for a bad ignored-devices."""
    values, paths = context.values, context.paths
    devices = network_devices.device_filter(values, values[IGNORED_DEVICES])
    skip_invalid_speed = values[IGNORE_INVALID_SPEED]
    if values[NETLINK]:
        from exporters.node.network import netclass_netlink  # noqa: PLC0415 - few want it

        with_stats = values[WITH_STATS]
        return lambda: netclass_netlink.families(
            paths,
            devices,
            skip_invalid_speed=skip_invalid_speed,
            with_stats=with_stats,
        )
    interfaces = Interfaces(paths.sys("class", "net"), context.keeper)

    # Hardly anything of it changes: what was made of it is given again, 0.1 ms.
    last: tuple[Mapping[str, Attributes], list[Metric]] = ({}, [])

    def collect() -> Iterable[Metric]:
        nonlocal last
        found = interfaces.read(devices)
        if found != last[0]:
            shown = families(found, skip_invalid_speed=skip_invalid_speed)
            last = found, [family for family in shown if family]
        return last[1]

    return collect


class Interfaces:
    """The interfaces in sysfs, whose attributes are kept open between scrapes."""

    def __init__(self, path: str, keeper: Keeper) -> None:
        """Read below *path* as far as *keeper* lets anything be kept."""
        self._path = path
        self._keeper = keeper
        self._known: dict[tuple[str, int], KeptAttributes] = {}

    def read(self, wanted: DeviceFilter) -> dict[str, Attributes]:
        """Return what each interface that *wanted* lets through has, by name.

        Upstream gives up on all interfaces when one goes away meanwhile; containers
        come and go, so here only that one is left out. Raises NoData and OSError.
        """
        try:
            listed = list_devices(self._path)
            return dict(self._read(listed, wanted))
        except OSError as error:
            if error.errno in _NOT_OURS:
                raise NoData(
                    f"could not read {self._path}: {error.strerror}"
                ) from error
            raise

    def _read(
        self, listed: Mapping[str, int], wanted: DeviceFilter
    ) -> Iterator[tuple[str, Attributes]]:
        known, self._known = self._known, {}  # who is gone is closed with *known*
        for device in listed.items():
            name, _ = device
            if wanted.ignored(name):
                continue
            kept = known.get(device)
            if kept is None:
                kept = KeptAttributes(f"{self._path}/{name}", _FILES, self._keeper)
            try:
                attributes = kept.read()
            except OSError as error:
                if error.errno in GONE:
                    continue
                raise
            self._known[device] = kept
            yield name, attributes


def families(
    devices: Mapping[str, Attributes], *, skip_invalid_speed: bool
) -> Iterator[Metric]:
    """Yield the families of *devices*, which are interface name -> attributes."""
    up = GaugeMetricFamily(
        "node_network_up",
        "Value is 1 if operstate is 'up', 0 otherwise.",
        labels=("device",),
    )
    info = GaugeMetricFamily(
        "node_network_info",
        "Non-numeric data from /sys/class/net/<iface>, value is always 1.",
        labels=_INFO_LABELS,
    )
    labelled = [((device,), files) for device, files in devices.items()]
    for row, files in labelled:
        up.add_metric(row, files.get("operstate") == "up")
        info.add_metric(_info(row[0], files), 1)
    yield from (up, info)
    for file in _NUMBERS:
        if file == "speed":
            yield _speed_family(labelled, skip_invalid=skip_invalid_speed)
        else:
            yield _number_family(file, labelled)


def _info(device: str, files: Attributes) -> tuple[str, ...]:
    address, broadcast, duplex, operstate, alias = (files.get(t, "") for t in _TEXTS)
    admin = admin_state(files.get("flags"))
    return (device, address, broadcast, duplex, operstate, admin, alias)


def admin_state(flags: str | None) -> str:
    """Return whether the administrator wants the interface up, by its IFF_* *flags*."""
    if flags is None:
        return "unknown"
    return "up" if sysfs.parse_integer(flags) & _IFF_UP else "down"


def _number_family(
    file: str, devices: Iterable[tuple[LabelValues, Attributes]]
) -> Metric:
    family = _empty_family(file)
    add, parse = family.add_metric, sysfs.parse_integer
    for row, files in devices:
        text = files.get(file)
        if text is not None:
            add(row, parse(text))
    return family


def _speed_family(
    devices: Iterable[tuple[LabelValues, Attributes]], *, skip_invalid: bool
) -> Metric:
    family = _empty_family("speed")
    for row, files in devices:
        if "speed" not in files:
            continue
        megabits = sysfs.parse_integer(files["speed"])
        # Some drivers say -1 where the speed is unknown.
        if megabits >= 0 or not skip_invalid:
            family.add_metric(row, megabits * BYTES_PER_MEGABIT)
    return family


def _empty_family(file: str) -> CounterMetricFamily | GaugeMetricFamily:
    name = _NUMBERS[file]
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    text = f"Network device property: {name}"
    return kind(f"node_network_{name}", text, labels=("device",))


COLLECTOR = CollectorSpec(
    "netclass",
    create,
    flags=(
        IGNORED_DEVICES,
        IGNORE_INVALID_SPEED,
        NETLINK,
        WITH_STATS,
        *network_devices.FLAGS,
    ),
)
