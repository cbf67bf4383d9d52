"""Network devices: which there are, and which every collector leaves out.

Upstream has one pair of flags for each collector, which a host with many containers
has to repeat. The pair here holds for all of them, beside theirs.
"""

from __future__ import annotations

import errno
import os

from exporters.node.device_filter import DeviceFilter
from exporters.toolkit.flags import Values, string


_OBEY = "arp, ethtool, netclass, netdev, network_route, qdisc and wifi"

DEVICE_INCLUDE = string(
    "collector.network.device-include",
    f"Regexp of network devices that {_OBEY} include, on top of their own filters.",
)
DEVICE_EXCLUDE = string(
    "collector.network.device-exclude",
    f"Regexp of network devices that {_OBEY} exclude, on top of their own filters;"
    " wins over collector.network.device-include.",
)
BYTES_PER_MEGABIT = 1000 * 1000 // 8
"""The kernel has the speed of a link in megabits a second."""
GONE = frozenset({errno.ENOENT, errno.ENODEV, errno.ENOTDIR})
"""What the kernel answers about a device that went away meanwhile."""

FLAGS = (DEVICE_INCLUDE, DEVICE_EXCLUDE)
"""Part of the spec of every collector that obeys them."""


def device_filter(values: Values, exclude: str = "", include: str = "") -> DeviceFilter:
    """Return the filter of a collector that has *exclude* and *include* of its own.

    A device has to pass both its collector's filter and the common one. Raises
    RegexError.
    """
    patterns = values[DEVICE_EXCLUDE], values[DEVICE_INCLUDE]
    common = DeviceFilter.compile(*patterns) if any(patterns) else None
    return DeviceFilter.compile(exclude, include, common)


def list_devices(path: str) -> dict[str, int]:
    """Return the devices below *path*, sorted, each with the inode of its entry.

    A device keeps that for life, whatever it is called; a later one of the same name
    has another. Plain files are bonding_masters and such. Raises OSError.
    """
    with os.scandir(path) as entries:
        found = {
            entry.name: entry.inode()
            for entry in entries
            if not entry.is_file(follow_symlinks=False)
        }
    return dict(sorted(found.items()))
