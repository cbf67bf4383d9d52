"""NVMe controllers and namespaces (node_exporter collector/nvme_linux.go).

The kernel's side is drivers/nvme/host/sysfs.c; ``nuse`` came with Linux 6.8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from exporters.node.attributes import Attributes, list_devices
from exporters.node.gauges import Gauges
from exporters.node.integers import UINT64_MAX, decimal
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


_HELP = {
    "info": "Non-numeric data from /sys/class/nvme/<device>, value is always 1.",
    "namespace_info": "Information about NVMe namespaces. Value is always 1",
    "namespace_capacity_bytes": (
        "Capacity of the NVMe namespace in bytes."
        " Computed as namespace_size * namespace_logical_block_size"
    ),
    "namespace_size_bytes": (
        "Size of the NVMe namespace in bytes."
        " Available in /sys/class/nvme/<device>/<namespace>/size"
    ),
    "namespace_used_bytes": (
        "Used space of the NVMe namespace in bytes."
        " Available in /sys/class/nvme/<device>/<namespace>/nuse"
    ),
    "namespace_logical_block_size_bytes": (
        "Logical block size of the NVMe namespace in bytes. Usually 4Kb. Available in"
        " /sys/class/nvme/<device>/<namespace>/queue/logical_block_size"
    ),
}
_NAMESPACE = re.compile(r"nvme[0-9]+n([0-9]+)")
_INFO = {  # label -> attribute
    "firmware_revision": "firmware_rev",
    "model": "model",
    "serial": "serial",
    "state": "state",
    "cntlid": "cntlid",
}


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/class/nvme``."""
    root = context.paths.sys("class", "nvme")

    def collect() -> Iterator[Metric]:
        attributes, gauges = Attributes(), Gauges("node_nvme_", _HELP)
        for device in list_devices(root):
            add_device(gauges, attributes, device, f"{root}/{device}")
        yield from gauges

    return collect


def add_device(gauges: Gauges, attributes: Attributes, device: str, path: str) -> None:
    """Add the controller *device* and its namespaces, if it is still there."""
    info = {label: attributes.text(f"{path}/{file}") for label, file in _INFO.items()}
    if all(value is None for value in info.values()):
        return
    labels = {label: value or "" for label, value in info.items()}
    gauges.add("info", 1, {"device": device, **labels})
    for name in attributes.names(path):
        namespace = _NAMESPACE.search(name)
        if namespace is not None:
            labels = {"device": device, "nsid": namespace[1]}
            _add_namespace(gauges, attributes, f"{path}/{name}", labels)


def _add_namespace(
    gauges: Gauges, attributes: Attributes, path: str, labels: Mapping[str, str]
) -> None:
    state = attributes.text(f"{path}/ana_state")
    if state is None:
        state = "unknown"
    gauges.add("namespace_info", 1, {**labels, "ana_state": state})
    block_bytes = attributes.value(f"{path}/queue/logical_block_size", _count)
    gauges.add("namespace_logical_block_size_bytes", block_bytes, labels)
    # The kernel counts size in sectors of 512 bytes; upstream's product is kept.
    size_bytes = _product(attributes.value(f"{path}/size", _count), block_bytes)
    gauges.add("namespace_capacity_bytes", size_bytes, labels)
    gauges.add("namespace_size_bytes", size_bytes, labels)
    used_bytes = _product(attributes.value(f"{path}/nuse", _count), block_bytes)
    gauges.add("namespace_used_bytes", used_bytes, labels)


def _count(text: str) -> int:
    """Return *text* as a number, 0 where it is none: upstream exports that."""
    try:
        return decimal(text)
    except ValueError:
        return 0


def _product(blocks: int | None, block_bytes: int | None) -> int | None:
    if blocks is None or block_bytes is None:
        return None
    return blocks * block_bytes & UINT64_MAX


COLLECTOR = CollectorSpec("nvme", create)
