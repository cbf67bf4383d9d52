"""State of software RAID arrays (node_exporter collector/mdadm_linux.go).

The kernel's side is ``/proc/mdstat`` and Documentation/admin-guide/md.rst.
"""

from __future__ import annotations

from collections.abc import Iterator

from exporters.node.attributes import Attributes
from exporters.node.gauges import Gauges
from exporters.node.integers import decimal
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.node.storage import mdstat
from exporters.toolkit.metric import Metric


_HELP = {
    "disks_required": "Total number of disks of device.",
    "disks": "Number of active/failed/spare disks of device.",
    "state": "Indicates the state of md-device.",
    "blocks": "Total number of blocks on device.",
    "blocks_synced": "Number of blocks synced on device.",
    "raid_disks": "Number of raid disks on device.",
    "degraded": "Number of degraded disks on device.",
}
_STATES = ("active", "inactive", "recovering", "resync", "check")
# The others have no redundancy to lose, or are containers of arrays.
_REDUNDANT = frozenset({"raid1", "raid4", "raid5", "raid6", "raid10"})
_WITHOUT_DISKS = frozenset({"", "container", "imsm", "ddf"})


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/mdstat`` and ``/sys/block/md*/md``."""
    file = context.proc("mdstat")
    block = context.paths.sys("block")

    def collect() -> Iterator[Metric]:
        data = file.read_optional()
        if data is None:
            raise NoData(f"{file.path} does not exist: md is probably not loaded")
        attributes, gauges = Attributes(), Gauges("node_md_", _HELP)
        for array in read_arrays(file.path, data, attributes):
            add_array(gauges, array)
        for device in attributes.names(block):
            if device.startswith("md"):
                add_raid(gauges, attributes, device, f"{block}/{device}/md")
        yield from gauges
        attributes.raise_rejected()

    return collect


def read_arrays(
    path: str, data: bytes, attributes: Attributes
) -> Iterator[mdstat.Array]:
    """Yield the arrays in *data*; one that cannot be understood is rejected alone."""
    for number, lines in mdstat.sections(data):
        try:
            yield mdstat.parse(lines)
        except ValueError as error:
            attributes.reject(f"{path}:{number}: {error}")


def add_array(gauges: Gauges, array: mdstat.Array) -> None:
    """Add what ``/proc/mdstat`` says of *array*."""
    device = {"device": array.name}
    gauges.add("disks_required", array.disks_required, device)
    gauges.add("disks", array.disks_active, {**device, "state": "active"})
    gauges.add("disks", array.disks_failed, {**device, "state": "failed"})
    gauges.add("disks", array.disks_spare, {**device, "state": "spare"})
    for state in _STATES:
        gauges.add("state", array.state == state, {**device, "state": state})
    gauges.add("blocks", array.blocks, device)
    gauges.add("blocks_synced", array.blocks_synced, device)


def add_raid(gauges: Gauges, attributes: Attributes, device: str, path: str) -> None:
    """Add what sysfs knows of the array *device*, if it is there (drivers/md/md.c)."""
    level = attributes.text(f"{path}/level")
    if level is None:
        return
    labels = {"device": device}
    if level not in _WITHOUT_DISKS:
        disks = parse_raid_disks(attributes.label(f"{path}/raid_disks"))
        gauges.add("raid_disks", disks, labels)
    degraded: int | None = 0
    if level in _REDUNDANT:
        degraded = attributes.value(f"{path}/degraded", decimal)
    gauges.add("degraded", degraded, labels)


def parse_raid_disks(text: str) -> int | None:
    """Return the number of disks, the one to come in ``11 (10)``; None for no number.

    No error: upstream takes whatever the kernel writes while it reshapes.
    """
    try:
        return decimal(text.partition(" ")[0])
    except ValueError:
        return None


COLLECTOR = CollectorSpec("mdadm", create)
