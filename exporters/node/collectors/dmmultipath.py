"""Multipath devices and their paths (node_exporter collector/dmmultipath_linux.go).

The kernel's side is drivers/md/dm-sysfs.c, and ``state`` of a SCSI or NVMe device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exporters.node.attributes import Attributes, list_devices
from exporters.node.gauges import Gauges
from exporters.node.integers import UINT64_MAX, decimal
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


_HELP = {
    "device_info": "Non-numeric information about a DM-multipath device.",
    "device_active": (
        "Whether the multipath device-mapper device is active (1) or suspended (0)."
    ),
    "device_size_bytes": (
        "Size of the multipath device in bytes, read from /sys/block/<dm>/size."
    ),
    "device_paths": "Number of paths for a multipath device.",
    "device_paths_active": (
        "Number of paths in active state (SCSI running or NVMe live)"
        " for a multipath device."
    ),
    "device_paths_failed": (
        "Number of paths not in active state for a multipath device."
    ),
    "path_state": (
        "Reports the underlying device state for a multipath path,"
        " as read from /sys/block/<dev>/device/state."
    ),
}
_SECTOR_BYTES = 512
_ACTIVE = frozenset({"running", "live"})  # of SCSI, of NVMe


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/block/dm-*``."""
    block = context.paths.sys("block")

    def collect() -> Iterator[Metric]:
        attributes, gauges = Attributes(), Gauges("node_dmmultipath_", _HELP)
        for device in list_devices(block, denied_is_nodata=True):
            if device.startswith("dm-"):
                add_device(gauges, attributes, block, device)
        yield from gauges
        attributes.raise_rejected()

    return collect


def add_device(gauges: Gauges, attributes: Attributes, block: str, device: str) -> None:
    """Add what is known of *device*, if it is one of multipath's."""
    path = f"{block}/{device}"
    uuid = attributes.label(f"{path}/dm/uuid")
    name = attributes.text(f"{path}/dm/name") if uuid.startswith("mpath-") else None
    if name is None:
        return
    labels = {"device": name, "sysfs_name": device}
    gauges.add("device_info", 1, {**labels, "uuid": uuid})
    is_active = attributes.value(f"{path}/dm/suspended", _is_not_suspended)
    gauges.add("device_active", is_active, labels)
    size_bytes = attributes.value(f"{path}/size", _size_bytes)
    gauges.add("device_size_bytes", size_bytes, labels)
    states = {
        disk: attributes.text(f"{block}/{disk}/device/state")
        for disk in attributes.names(f"{path}/slaves")
    }
    _add_paths(gauges, labels, states)


def _is_not_suspended(text: str) -> bool:
    return decimal(text) != 1


def _size_bytes(text: str) -> int:
    return decimal(text) * _SECTOR_BYTES & UINT64_MAX


def _add_paths(
    gauges: Gauges, labels: Mapping[str, str], states: Mapping[str, str | None]
) -> None:
    """Add the paths; one whose state the kernel does not give is no active one.

    Nor is it failed: DASDs and virtio disks have no state.
    """
    known = {path: state for path, state in states.items() if state is not None}
    for path, state in known.items():
        path_labels = {"device": labels["device"], "path": path, "state": state}
        gauges.add("path_state", 1, path_labels)
    active = sum(state in _ACTIVE for state in known.values())
    gauges.add("device_paths", len(states), labels)
    gauges.add("device_paths_active", active, labels)
    gauges.add("device_paths_failed", len(known) - active, labels)


COLLECTOR = CollectorSpec("dmmultipath", create)
