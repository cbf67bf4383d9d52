"""One message as it came out of a byte stream, and the bound on what is kept of it."""

from __future__ import annotations

from typing import NamedTuple


class Frame(NamedTuple):
    """The bytes of one message without their framing.

    *cut* says that more came than was kept, *problem* what was wrong with the framing.
    """

    data: bytes
    cut: bool = False
    problem: str = ""


class Piece:
    """Collects bytes up to *limit* and forgets the others."""

    __slots__ = ("_cut", "_data", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()
        self._cut = False

    def __len__(self) -> int:
        return len(self._data)

    def startswith(self, prefix: bytes) -> bool:
        """Say whether what was collected begins with *prefix*."""
        return self._data.startswith(prefix)

    def add(self, data: bytes | bytearray, *, cut: bool = False) -> None:
        """Append *data*; *cut* says that it is not whole already."""
        room = self._limit - len(self._data)
        self._data += data[:room]
        self._cut = self._cut or cut or len(data) > room

    def take(self, problem: str = "") -> Frame:
        """Return what was collected, and begin again."""
        frame = Frame(bytes(self._data), self._cut, problem)
        self._data.clear()
        self._cut = False
        return frame
