"""Attributes of a device in sysfs that are opened once and read at each scrape.

They give what :func:`exporters.node.sysfs.read_attributes` gives for the same directory
at the same moment; where :class:`Keeper` lets nothing be kept, they are that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from exporters.node import sysfs
from exporters.node.keeper import Keeper


_OPEN = os.O_RDONLY | os.O_CLOEXEC


class KeptAttributes:
    """Some attributes of one device, for one caller at a time, as a collector is."""

    __slots__ = (
        "_data",
        "_descriptors",
        "_epoch",
        "_found",
        "_keeper",
        "_names",
        "_path",
    )

    def __init__(self, path: str, names: Iterable[str], keeper: Keeper) -> None:
        """Open nothing yet. *names* are looked up below the directory *path*."""
        self._path = path
        self._names = tuple(names)
        self._keeper = keeper
        self._epoch = 0
        self._descriptors: dict[str, int] = {}
        self._data: list[bytes | None] = []
        self._found: dict[str, str] = {}

    def read(self) -> dict[str, str]:
        """Return those attributes that the kernel gives, by name; not to be changed.

        Raises OSError where the directory cannot be opened (the device may be gone) or
        an attribute fails with anything but a refusal.
        """
        epoch = self._keeper.epoch
        if epoch != self._epoch:
            self.close()
            self._epoch = epoch
        if not epoch:
            return sysfs.read_attributes(self._path, self._names)
        if self._descriptors:
            try:
                return self._read()
            except OSError:  # gone, or there again: the path tells
                self.close()
        return self._read()

    def close(self) -> None:
        """Keep nothing any more; the next reading opens the files anew."""
        for descriptor in self._descriptors.values():
            self._keeper.close(descriptor)
        self._descriptors.clear()

    def __del__(self) -> None:
        self.close()

    def _read(self) -> dict[str, str]:
        data = list(map(_read_again, self._descriptors.values()))
        if data and data == self._data:  # nearly always
            found = self._found
        else:
            found = {
                name: value.strip().decode("utf-8", "replace")
                for name, value in zip(self._descriptors, data, strict=True)
                if value is not None
            }
            self._data, self._found = data, found
        if len(self._descriptors) < len(self._names):
            found = found.copy()
            self._read_others(found)
        return found

    def _read_others(self, found: dict[str, str]) -> None:
        """Read what is not open, and keep it open where that is allowed."""
        directory = os.open(self._path, _OPEN | os.O_DIRECTORY)
        try:
            for name in self._names:
                if name in self._descriptors:
                    continue
                value = self._open(name, directory)
                if value is not None:
                    found[name] = value
        finally:
            os.close(directory)

    def _open(self, name: str, directory: int) -> str | None:
        try:
            descriptor = os.open(name, _OPEN, dir_fd=directory)
        except OSError as error:
            if error.errno in sysfs.REFUSALS:
                return None
            raise
        kept = self._keeper.keep(descriptor)
        if kept:
            self._descriptors[name] = descriptor
        try:
            return sysfs.read_open(descriptor)
        finally:
            if not kept:
                os.close(descriptor)


def _read_again(descriptor: int) -> bytes | None:
    """Return what an open attribute holds, None where it is refused."""
    try:
        return os.pread(descriptor, sysfs.ATTRIBUTE_SIZE_BYTES, 0)
    except OSError as error:
        if error.errno in sysfs.REFUSALS:
            return None
        raise
