"""Cache sets, backing and cache devices of bcache in sysfs (procfs bcache/get.go).

The kernel's side is drivers/md/bcache/sysfs.c and
Documentation/admin-guide/bcache.rst.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from exporters.node import procfs, sysfs
from exporters.node.storage.hprint import parse_bcache


Numbers = Mapping[str, int]
"""Attribute, relative to its device, -> number."""

_PER_SECOND = "/sec"
_WRITEBACK = frozenset({"rate", "target", "proportional", "integral", "change"})
# The line of priority_stats -> what it is called here.
_PRIORITIES = {"Unused": "unused", "Metadata": "metadata"}


def read_numbers(path: str, attributes: Iterable[str]) -> dict[str, int]:
    """Return *attributes* of the device at *path*; one that is missing is 0.

    Raises OSError and ValueError.
    """
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return {name: _read_number(name, directory) for name in attributes}
    finally:
        os.close(directory)


def read_writeback(path: str) -> dict[str, int]:
    """Return the writeback controller of the backing device at *path*.

    Raises OSError and ValueError.
    """
    return parse_writeback(procfs.read(f"{path}/writeback_rate_debug"))


def read_priorities(path: str) -> dict[str, int]:
    """Return how the cache device at *path* is filled, in percent.

    It has the kernel sort all buckets, hence it is asked for only by flag. Raises
    OSError and ValueError.
    """
    return parse_priorities(procfs.read(f"{path}/priority_stats"))


def parse_writeback(data: bytes) -> dict[str, int]:
    """Return ``writeback_rate_debug`` in bytes (per second). Raises ValueError.

    A line that is missing is 0.
    """
    found = dict.fromkeys(_WRITEBACK, 0)
    for name, value in _pairs(data):
        if name in found:
            found[name] = _number(name, value.removesuffix(_PER_SECOND))
    return found


def parse_priorities(data: bytes) -> dict[str, int]:
    """Return the percentages of ``priority_stats``. Raises ValueError."""
    found = dict.fromkeys(_PRIORITIES.values(), 0)
    for name, value in _pairs(data):
        if name in _PRIORITIES:
            percent = value.removesuffix("%").encode()
            found[_PRIORITIES[name]] = procfs.parse_uint(percent)
    return found


def _pairs(data: bytes) -> Iterable[tuple[str, str]]:
    """Yield name and last word of lines such as ``rate:  4.0k/sec``."""
    for _, line in procfs.lines(data):
        name, _, rest = procfs.text(line).partition(":")
        words = rest.split()
        yield name, words[-1] if words else ""


def _read_number(name: str, directory: int) -> int:
    text = sysfs.read_optional(name, directory)
    return 0 if text is None else _number(name, text)


def _number(name: str, text: str) -> int:
    try:
        return parse_bcache(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
