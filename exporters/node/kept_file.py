"""A file of procfs that is opened once and read at each scrape.

It gives what :func:`exporters.node.procfs.read` gives for the same path at the same
moment; where :class:`Keeper` lets nothing be kept, it is that.
"""

from __future__ import annotations

import os

from exporters.node import procfs
from exporters.node.keeper import Keeper


_CHUNK = 65_536
_PAGE = 4096  # what most files need at the most


class KeptFile:
    """One file, for one caller at a time, as a collector is."""

    __slots__ = ("_descriptor", "_epoch", "_keeper", "_room", "path")

    def __init__(self, path: str, keeper: Keeper) -> None:
        """Open nothing yet. *path* may come to be there, or go, at any time."""
        self.path = path
        self._keeper = keeper
        self._descriptor = -1
        self._epoch = 0
        self._room = _PAGE

    def read(self) -> bytes:
        """Return the whole content of the file. Raises OSError."""
        if self._descriptor >= 0 and self._epoch == self._keeper.epoch:
            try:
                return self._read()
            except OSError:  # its module is gone, or there again: the path tells
                return self._read_anew()
        return self._read_anew()

    def read_optional(self) -> bytes | None:
        """Return the content of the file, None where the kernel has no such file."""
        try:
            return self.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _read(self) -> bytes:
        # To the very end, 0.4 us: a file of many records comes in pieces, each as long
        # as what fits into a page whole, and one of mdstat or schedstat may fill it.
        chunks: list[bytes] = []
        size = 0
        while data := os.pread(self._descriptor, self._room, size):
            chunks.append(data)
            size += len(data)
        self._room = min(max(self._room, 2 * size), _CHUNK)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _read_anew(self) -> bytes:
        self.close()
        epoch = self._keeper.epoch  # before it is opened: mounts may change meanwhile
        if not epoch:
            return procfs.read(self.path)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        if not self._keeper.keep(descriptor):
            os.close(descriptor)
            return procfs.read(self.path)
        self._descriptor, self._epoch = descriptor, epoch
        return self._read()

    def close(self) -> None:
        """Keep nothing any more; the next reading opens the file anew."""
        if self._descriptor >= 0:
            self._keeper.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()
