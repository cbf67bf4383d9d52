"""DRBD devices of version 8 (node_exporter collector/drbd_linux.go).

The kernel's side is drivers/block/drbd/drbd_proc.c. DRBD 9 prints only its version
there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import Metric


class _Number(NamedTuple):
    """How a number is exported; a name that ends in _total is a counter's."""

    name: str
    help: str
    factor: int = 1


class _State(NamedTuple):
    """How "ours/theirs" is exported: 1 for the side that is *good*."""

    name: str
    help: str
    good: str


_NUMBERS = {
    "ns": _Number(
        "network_sent_bytes_total", "Total number of bytes sent via the network.", 1024
    ),
    # In KiB, too, but upstream exports it as it is.
    "nr": _Number(
        "network_received_bytes_total",
        "Total number of bytes received via the network.",
    ),
    "dw": _Number(
        "disk_written_bytes_total",
        "Net data written on local hard disk; in bytes.",
        1024,
    ),
    "dr": _Number(
        "disk_read_bytes_total", "Net data read from local hard disk; in bytes.", 1024
    ),
    "al": _Number(
        "activitylog_writes_total",
        "Number of updates of the activity log area of the meta data.",
    ),
    "bm": _Number(
        "bitmap_writes_total",
        "Number of updates of the bitmap area of the meta data.",
    ),
    "lo": _Number(
        "local_pending", "Number of open requests to the local I/O sub-system."
    ),
    "pe": _Number(
        "remote_pending",
        "Number of requests sent to the peer, but that have not yet been answered by"
        " the latter.",
    ),
    "ua": _Number(
        "remote_unacknowledged",
        "Number of requests received by the peer via the network connection, but that"
        " have not yet been answered.",
    ),
    "ap": _Number(
        "application_pending",
        "Number of block I/O requests forwarded to DRBD, but not yet answered by DRBD.",
    ),
    "ep": _Number("epochs", "Number of Epochs currently on the fly."),
    "oos": _Number(
        "out_of_sync_bytes",
        "Amount of data known to be out of sync; in bytes.",
        1024,
    ),
}
_STATES = {
    "ro": _State(
        "node_role_is_primary",
        "Whether the role of the node is in the primary state.",
        "Primary",
    ),
    "ds": _State(
        "disk_state_is_up_to_date",
        "Whether the disk of the node is up to date.",
        "UpToDate",
    ),
}


_NUMBER = re.compile(r"[0-9]{1,19}")


def parse(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield (device, key, value) of each "key:value" in a drbd file. Never raises.

    "0:" begins a device; what comes before the first belongs to "unknown".
    """
    device = "unknown"
    for word in procfs.text(data).split():
        key, *values = word.split(":")
        if len(values) != 1:
            continue
        if _NUMBER.fullmatch(key) and not values[0]:
            device = f"drbd{int(key)}"
        else:
            yield device, key, values[0]


def add(found: Families, device: str, key: str, value: str) -> None:
    """Add to *found* what is exported of one "key:value". Raises ValueError."""
    if key in _NUMBERS:
        name, text, factor = _NUMBERS[key]
        number = procfs.parse_number(value.encode()) * factor
        found.named(f"node_drbd_{name}", text, number, {"device": device})
    elif key in _STATES:
        name, text, good = _STATES[key]
        ours, slash, theirs = value.partition("/")
        if not slash:
            raise ValueError(f"expected 'ours/theirs', got {value[:60]!r}")
        for node, state in (("local", ours), ("remote", theirs.partition("/")[0])):
            labels = {"device": device, "node": node}
            found.gauge(f"node_drbd_{name}", text, state == good, labels)
    elif key == "cs":
        found.gauge(
            "node_drbd_connected",
            "Whether DRBD is connected to the peer.",
            value == "Connected",
            {"device": device},
        )


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/drbd``."""
    path = context.paths.proc("drbd")

    def collect() -> Iterator[Metric]:
        data = procfs.read_optional(path)
        if data is None:
            raise NoData(f"{path} does not exist: drbd is not loaded")
        found = Families()
        failure: ValueError | None = None
        for device, key, value in parse(data):
            try:
                add(found, device, key, value)
            except ValueError as error:
                failure = failure or ValueError(f"{path}: {device} {key}: {error}")
        yield from found
        if failure is not None:
            raise failure

    return collect


COLLECTOR = CollectorSpec("drbd", create, default_enabled=False)
