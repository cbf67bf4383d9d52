"""The netclass collector's families from netlink (collector/netclass_rtnl_linux.go).

HELP, labels and types differ from those of sysfs as upstream's do: the label
``adminstate`` is missing, duplex is written ``Full``, flags have the volatile bits that
sysfs leaves out (IFF_RUNNING and such), and counters of traffic are gauges.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from exporters.node import sysfs
from exporters.node.device_filter import DeviceFilter
from exporters.node.families import Families
from exporters.node.network import interfaces, link_modes, rtnetlink
from exporters.node.network.interfaces import Interface
from exporters.node.network.link_modes import LinkMode
from exporters.node.network.network_devices import BYTES_PER_MEGABIT, GONE
from exporters.node.paths import Paths
from exporters.toolkit.metric import Metric


log = logging.getLogger(__name__)

# What netlink does not tell: sysfs file -> property. These three take no RTNL lock.
_SYSFS = {
    "addr_assign_type": "address_assign_type",
    "dev_id": "device_id",
    "name_assign_type": "name_assign_type",
}
_NO_MODE = LinkMode("", None, "")


def families(
    paths: Paths, ignored: DeviceFilter, *, skip_invalid_speed: bool, with_stats: bool
) -> Iterable[Metric]:
    """Return the families of the interfaces that are not *ignored*.

    Raises OSError and NetlinkError.
    """
    modes = _modes()
    found = Families()
    for interface in interfaces.read_interfaces():
        if ignored.ignored(interface.name):
            continue
        mode = modes.get(interface.name, _NO_MODE)
        _add_texts(found, interface, mode.duplex)
        numbers = {
            **interface.numbers,
            **_speed(mode, skip_invalid=skip_invalid_speed),
            **_from_sysfs(paths, interface.name),
        }
        for name, value in numbers.items():
            _add_number(found, name, value, interface.name)
        if with_stats:
            _add_stats(found, interface)
    return found


def _modes() -> Mapping[str, LinkMode]:
    try:
        return {mode.device: mode for mode in link_modes.read_link_modes()}
    except FileNotFoundError:
        log.debug("no ethtool over netlink here: no speed and no duplex")
        return {}


def _speed(mode: LinkMode, *, skip_invalid: bool) -> Mapping[str, int]:
    if mode.megabits is None or (skip_invalid and mode.megabits < 0):
        return {}
    return {"speed_bytes": mode.megabits * BYTES_PER_MEGABIT}


def _from_sysfs(paths: Paths, device: str) -> Mapping[str, int]:
    try:
        found = sysfs.read_attributes(paths.sys("class", "net", device), _SYSFS)
    except OSError as error:
        if error.errno in GONE:
            return {}
        raise
    return {_SYSFS[file]: sysfs.parse_integer(text) for file, text in found.items()}


def _add_texts(found: Families, interface: Interface, duplex: str) -> None:
    device = interface.name
    found.gauge(
        "node_network_up",
        "Value is 1 if operstate is 'up', 0 otherwise.",
        interface.state == "up",
        {"device": device},
    )
    labels = {
        "device": device,
        "address": interface.address,
        "broadcast": interface.broadcast,
        "duplex": duplex,
        "operstate": interface.state,
        "ifalias": interface.alias,
    }
    found.gauge(
        "node_network_info",
        "Non-numeric data of <iface>, value is always 1.",
        1,
        labels,
    )
    for name in interface.other_names:
        found.gauge(
            "node_network_altnames_info",
            "Non-numeric data of <iface> altname, value is always 1.",
            1,
            {"altname": name, "device": device},
        )


def _add_number(found: Families, name: str, value: int, device: str) -> None:
    found.named(f"node_network_{name}", _about(name), value, {"device": device})


def _add_stats(found: Families, interface: Interface) -> None:
    if interface.stats is None:
        return
    for field, value in zip(rtnetlink.STATS_FIELDS, interface.stats, strict=True):
        name = f"{field}_total"
        labels = {"device": interface.name}
        found.gauge(f"node_network_{name}", _about(name), value, labels)


def _about(name: str) -> str:
    return f"Network device property: {name}"
