"""Properties of network interfaces (node_exporter collector/netclass_linux.go)."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping

from exporters.node import sysfs
from exporters.node.device_filter import DeviceFilter
from exporters.node.network import network_devices
from exporters.node.network.network_devices import BYTES_PER_MEGABIT, GONE, list_devices
from exporters.node.paths import Paths
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.flags import boolean, string
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric


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
    return lambda: collect_sysfs(paths, devices, skip_invalid_speed=skip_invalid_speed)


def collect_sysfs(
    paths: Paths, devices: DeviceFilter, *, skip_invalid_speed: bool
) -> Iterable[Metric]:
    """Return the families of *devices* by sysfs. Raises NoData and OSError."""
    path = paths.sys("class", "net")
    try:
        names = [name for name in list_devices(path) if not devices.ignored(name)]
        found = {name: read_device(path, name) for name in names}
    except OSError as error:
        if error.errno in _NOT_OURS:
            raise NoData(f"could not read {path}: {error.strerror}") from error
        raise
    present = {name: files for name, files in found.items() if files is not None}
    found_families = families(present, skip_invalid_speed=skip_invalid_speed)
    return [family for family in found_families if family]


def read_device(path: str, name: str) -> Attributes | None:
    """Return what the interface *name* has, None when it is gone by now.

    Upstream gives up on all interfaces when one goes away meanwhile; containers come
    and go, so here only that one is left out. Raises OSError.
    """
    try:
        directory = os.open(
            f"{path}/{name}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        )
    except OSError as error:
        if error.errno in GONE:
            return None
        raise
    try:
        return dict(_read_files(directory))
    except OSError as error:
        if error.errno in GONE:
            return None
        raise
    finally:
        os.close(directory)


def _read_files(directory: int) -> Iterator[tuple[str, str]]:
    for name in _FILES:
        value = sysfs.read_optional(name, directory)
        if value is not None:
            yield name, value


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
    for device, files in devices.items():
        up.add_metric((device,), files.get("operstate") == "up")
        info.add_metric(_info(device, files), 1)
    yield from (up, info)
    for file, name in _NUMBERS.items():
        values = _numbers(devices, file)
        if file == "speed":
            values = _speeds(values, skip_invalid=skip_invalid_speed)
        yield _number_family(name, values)


def _info(device: str, files: Attributes) -> tuple[str, ...]:
    address, broadcast, duplex, operstate, alias = (files.get(t, "") for t in _TEXTS)
    admin = admin_state(files.get("flags"))
    return (device, address, broadcast, duplex, operstate, admin, alias)


def admin_state(flags: str | None) -> str:
    """Return whether the administrator wants the interface up, by its IFF_* *flags*."""
    if flags is None:
        return "unknown"
    return "up" if sysfs.parse_integer(flags) & _IFF_UP else "down"


def _numbers(devices: Mapping[str, Attributes], file: str) -> dict[str, int]:
    return {
        device: sysfs.parse_integer(files[file])
        for device, files in devices.items()
        if file in files
    }


def _speeds(megabits: Mapping[str, int], *, skip_invalid: bool) -> dict[str, int]:
    # Some drivers say -1 where the speed is unknown.
    return {
        device: speed * BYTES_PER_MEGABIT
        for device, speed in megabits.items()
        if speed >= 0 or not skip_invalid
    }


def _number_family(name: str, values: Mapping[str, int]) -> Metric:
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    family = kind(
        f"node_network_{name}", f"Network device property: {name}", labels=("device",)
    )
    for device, value in values.items():
        family.add_metric((device,), value)
    return family


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
