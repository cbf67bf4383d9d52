"""Device properties from udev's database (systemd src/libsystemd/sd-device)."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from exporters.node import procfs
from exporters.node.paths import Paths


Properties = Mapping[str, str]
"""What ``udevadm info`` prints as E: lines."""

_PROPERTY = b"E:"


def read_block_device(paths: Paths, major: int, minor: int) -> Properties:
    """Return the properties of a block device. Raises OSError."""
    return parse(procfs.read(paths.udev(f"b{major}:{minor}")))


@functools.lru_cache(maxsize=1024)  # a record is hardly ever written anew
def parse(data: bytes) -> Properties:
    """Return the properties in a udev database record. Never raises."""
    found: dict[str, str] = {}
    for line in data.split(b"\n"):
        name, separator, value = line.removeprefix(_PROPERTY).partition(b"=")
        if separator and line.startswith(_PROPERTY):
            found[procfs.text(name)] = procfs.text(value.removesuffix(b"\r"))
    return found
