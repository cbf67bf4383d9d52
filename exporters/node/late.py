"""What most hosts never need is not loaded at the start (toolkit/deferred.py).

The collectors that are on by default bring rooms for file systems and hardware that
most hosts do not have, and modules of the standard library for what hardly ever comes.
Without them the first answer is there 25 ms of CPU earlier, and 2 MiB are never used.
"""

from __future__ import annotations

from typing import Final


_STANDARD: Final = (
    "glob",  # directories of textfile
    "ipaddress",  # names in certificates, IPVS
    "json",  # --log.format=json
    "platform",  # cpuinfo
    "shutil",  # --help
    "textwrap",  # --help
    "uuid",  # btrfs
)
_ROOMS: Final = (
    "hardware.cpuinfo",
    "hardware.hwmon_units",
    "network.netclass_netlink",
    "storage.bcache",
    "storage.bcache_series",
    "storage.bcachefs",
    "storage.btrfs_ioctl",
    "storage.btrfs_sysfs",
    "storage.kstat",
    "storage.mdstat",
    "text.openmetrics",
    "text.textformat",
    "text.textformat_line",
)

MODULES: Final = (*_STANDARD, *(f"exporters.node.{room}" for room in _ROOMS))
"""Modules that are imported whole, and whose names are asked for in functions only."""
