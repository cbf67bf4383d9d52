r"""Names from pci.ids, the list of PCI devices that pciutils and hwdata bring.

The file is kept as it is, 1.4 MB, with the places of its vendors and classes, and what
a host has is searched for there: dictionaries of all of it would take ten times that.
It looks so::

    1af4  Red Hat, Inc.
    \t1041  Virtio 1.0 network device
    \t\t1af4 1100  QEMU Virtual Machine
    C 0c  Serial bus controller
    \t03  USB controller
    \t\t30  XHCI
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable

from exporters.node import procfs
from exporters.node.hardware import pci
from exporters.node.paths import Paths
from exporters.node.storage.mountinfo import label, path_text


log = logging.getLogger(__name__)

Names = Callable[[pci.Ids], tuple[str, ...]]
"""Gives the names of a vendor, device, subsystem's vendor, subsystem and class."""

_FILES = ("/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids")
# A line that is not indented: a vendor, or a class with its "C ".
_TOP = re.compile(rb"^([^\t#\r\n][^\n]*?)  ", re.MULTILINE)
# Where what is below a device or a subclass ends.
_NEXT = re.compile(rb"\n\t[^\t]")


class PciIds:
    """Looks names up. IDs are hexadecimal digits in lower case, without ``0x``."""

    def __init__(self, data: bytes) -> None:
        """Search *data*, the content of a pci.ids file; it may be empty."""
        self._data = data
        tops = [(top[1], top.start()) for top in _TOP.finditer(data)]
        ends = [*(start for _, start in tops[1:]), len(data)]
        self._blocks = {
            key: slice(start, end)
            for (key, start), end in zip(tops, ends, strict=False)
        }

    def vendor(self, vendor: str) -> str:
        """Return the name of *vendor*, or its ID."""
        return self._name(vendor) or vendor

    def device(self, vendor: str, device: str) -> str:
        """Return the name of *device* of *vendor*, or its ID."""
        return self._name(vendor, device) or device

    def subsystem(
        self, vendor: str, device: str, by_vendor: str, subsystem: str
    ) -> str:
        """Return the name of what *by_vendor* made of a device, or its ID."""
        return self._name(vendor, device, f"{by_vendor} {subsystem}") or subsystem

    def class_name(self, class_id: str) -> str:
        """Return the most exact name of a class, which has six digits."""
        path = f"C {class_id[:2]}", class_id[2:4], class_id[4:6]
        names = (self._name(*path[:depth]) for depth in (3, 2, 1))
        return next(filter(None, names), f"Unknown class ({class_id})")

    def _name(self, top: str, *path: str) -> str:
        """Return the name at the end of *path* below *top*, or nothing."""
        where = self._blocks.get(top.encode())
        if where is None:
            return ""
        block = self._data[where]
        start = f"{top}  "
        for depth, key in enumerate(path, start=1):
            start = "\n" + "\t" * depth + f"{key}  "
            position = block.find(start.encode())
            if position < 0:
                return ""
            end = _NEXT.search(block, position + len(start))
            block = block[position : end.start() if end else len(block)]
        line = block[len(start) :].partition(b"\n")[0]
        return label(path_text(line.strip()))


def read(paths: Paths, given: str) -> bytes:
    """Return the file *given*, or else the host's; empty where it cannot be read.

    Names then are IDs, as upstream, which tells only at debug level.
    """
    usual = (*_FILES, *(paths.root(path) for path in _FILES))
    wanted = (given,) if given else tuple(dict.fromkeys(usual))
    problems: list[str] = []
    for path in wanted:
        try:
            return procfs.read(path)
        except OSError as error:
            problems.append(str(error))
    log.warning(
        "No names of PCI devices: pci.ids cannot be read",
        extra={"fields": {"err": "; ".join(problems)}},
    )
    return b""


def names_from(file: PciIds) -> Names:
    """Return the names that *file* has; each device's are looked up once."""

    def names(ids: pci.Ids) -> tuple[str, ...]:
        vendor, device = f"{ids.vendor:04x}", f"{ids.device:04x}"
        by_vendor = f"{ids.subsystem_vendor:04x}"
        subsystem = f"{ids.subsystem_device:04x}"
        return (
            file.vendor(vendor),
            file.device(vendor, device),
            file.vendor(by_vendor),
            file.subsystem(vendor, device, by_vendor, subsystem),
            file.class_name(f"{ids.class_:06x}"),
        )

    return functools.lru_cache(maxsize=1024)(names)
