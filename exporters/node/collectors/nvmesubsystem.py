"""NVMe subsystems and their paths (node_exporter collector/nvmesubsystem_linux.go).

The kernel's side is drivers/nvme/host/core.c and multipath.c (``iopolicy``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from exporters.node.attributes import Attributes, list_devices
from exporters.node.gauges import Gauges
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


_HELP = {
    "info": "Non-numeric information about an NVMe subsystem.",
    "namespace_info": "Maps an NVMe namespace block device to its subsystem.",
    "paths": "Number of controller paths for an NVMe subsystem.",
    "paths_live": ("Number of controller paths in live state for an NVMe subsystem."),
    "path_state": (
        "Current NVMe controller path state"
        " (1 for the current state, 0 for all others)."
    ),
}
_SUBSYSTEM = "nvme-subsys"
_CONTROLLER = re.compile(r"nvme[0-9]+")
_NAMESPACE = re.compile(r"nvme[0-9]+n[0-9]+")
_INFO = {  # label -> attribute
    "nqn": "subsysnqn",
    "model": "model",
    "serial": "serial",
    "iopolicy": "iopolicy",
}
_STATES = {  # the kernel's word -> label; any other is unknown
    "connecting": "connecting",
    "dead": "dead",
    "deleting": "deleting",
    "deleting (no IO)": "deleting",
    "live": "live",
    "new": "new",
    "resetting": "resetting",
}
_LABELS = sorted({*_STATES.values(), "unknown"})


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/class/nvme-subsystem``."""
    root = context.paths.sys("class", "nvme-subsystem")

    def collect() -> Iterator[Metric]:
        attributes, gauges = Attributes(), Gauges("node_nvmesubsystem_", _HELP)
        for subsystem in list_devices(root, denied_is_nodata=True):
            if subsystem.startswith(_SUBSYSTEM):
                add_subsystem(gauges, attributes, subsystem, f"{root}/{subsystem}")
        yield from gauges

    return collect


def add_subsystem(
    gauges: Gauges, attributes: Attributes, subsystem: str, path: str
) -> None:
    """Add *subsystem* with its namespaces and paths, if it is still there."""
    info = {label: attributes.text(f"{path}/{file}") for label, file in _INFO.items()}
    if all(value is None for value in info.values()):
        return
    labels = {"subsystem": subsystem}
    texts = {label: value or "" for label, value in info.items()}
    gauges.add("info", 1, {**labels, **texts})
    names = attributes.names(path)
    for name in filter(_NAMESPACE.fullmatch, names):
        gauges.add("namespace_info", 1, {**labels, "device": name})
    found = [
        _add_path(gauges, attributes, subsystem, f"{path}/{name}")
        for name in filter(_CONTROLLER.fullmatch, names)
    ]
    paths = [state for state in found if state is not None]
    gauges.add("paths", len(paths), labels)
    gauges.add("paths_live", paths.count("live"), labels)


def _add_path(
    gauges: Gauges, attributes: Attributes, subsystem: str, path: str
) -> str | None:
    """Add the state of the controller at *path* and return it, None if it has gone."""
    state = attributes.text(f"{path}/state")
    transport = attributes.text(f"{path}/transport")
    if state is None and transport is None:
        return None
    current = _STATES.get(state or "", "unknown")
    labels = {
        "subsystem": subsystem,
        "controller": path.rpartition("/")[2],
        "transport": transport or "",
    }
    for label in _LABELS:
        gauges.add("path_state", label == current, {**labels, "state": label})
    return current


COLLECTOR = CollectorSpec("nvmesubsystem", create, default_enabled=False)
