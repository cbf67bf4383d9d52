"""The currency of the log road: what a source hands over and what comes back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Protocol


Labels = tuple[tuple[str, str], ...]
"""One Loki stream: label pairs sorted by name, without ``__`` names."""

Metadata = tuple[tuple[str, str], ...]
"""Structured metadata: pairs beside a line that are no labels, in their order."""


class Entry(NamedTuple):
    """One log line, without its newline, and its time in nanoseconds since 1970."""

    timestamp_ns: int
    line: bytes
    metadata: Metadata = ()

    @property
    def size_bytes(self) -> int:
        """What Loki and promtail count of an entry: line and structured metadata."""
        return len(self.line) + metadata_bytes(self.metadata)


def metadata_bytes(metadata: Metadata) -> int:
    """Return the size of *metadata* in UTF-8, names and values."""
    size = 0
    for name, value in metadata:
        size += len(name.encode(errors="replace"))
        size += len(value.encode(errors="replace"))
    return size


class Cursor(Protocol):
    """Where the acknowledgements of one source go."""

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Note that the fate of *entries* is decided; called in reading order.

        They are counted, not looked at: a pipeline may have changed text and time.
        Only a 204, or a drop that was decided and counted, leads here.
        """


class Untracked:
    """The cursor of lines that nobody can give again: no position can name them."""

    untracked = True

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Forget *entries*."""


def is_untracked(cursor: Cursor) -> bool:
    """Say whether the lines of *cursor* are gone when they are not sent."""
    return getattr(cursor, "untracked", False)


def stream_key(cursor: Cursor) -> int:
    """Return what tells the lines of *cursor* from those of others.

    Several cursors that share a ``stream_key`` are one after another in one stream: the
    files that a rotation makes of one path.
    """
    return getattr(cursor, "stream_key", id(cursor))


Streams = Sequence[tuple[Labels, Sequence[Entry]]]
"""Entries in reading order for each of some streams; no stream without an entry."""


class Sink(Protocol):
    """Where a source puts its entries."""

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        """Take *entry* for the stream *labels*, waiting while there is no room."""


class BoundedSink(Sink, Protocol):
    """A sink that says whether it has room, so that nobody has to wait in `put`."""

    sure: bool
    """Whether `put` never waits for entries that `admits` has admitted."""

    async def put_all(self, streams: Streams, cursor: Cursor) -> None:
        """Take all entries of *streams*, a few hundred, waiting while there is no room.

        *cursor* may hear of them all at once, when the last is decided. When this is
        cancelled either all were taken or, where `sure`, none.
        """

    def admits(self, entries: Sequence[Entry], cursor: Cursor) -> bool:
        """Say whether there is room for all of *entries* now."""

    async def room(self) -> None:
        """Wait until there is more room; then ask `admits` again."""


class AlwaysRoom(ABC):
    """What a `BoundedSink` says that has room for everything."""

    sure = True

    @abstractmethod
    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        """Take *entry*."""

    async def put_all(self, streams: Streams, cursor: Cursor) -> None:
        """Put one after the other."""
        for labels, entries in streams:
            for entry in entries:
                await self.put(labels, entry, cursor)

    def admits(self, entries: Sequence[Entry], cursor: Cursor) -> bool:  # noqa: ARG002 - see BoundedSink
        """Say that there is room."""
        return True

    async def room(self) -> None:  # noqa: B027 - there is nothing to wait for
        """Return at once."""
