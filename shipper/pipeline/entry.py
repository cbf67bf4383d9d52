"""The currency of the log road: what a source hands over and what comes back."""

from __future__ import annotations

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
        size = len(self.line)
        for name, value in self.metadata:
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


class Sink(Protocol):
    """Where a source puts its entries."""

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        """Take *entry* for the stream *labels*, waiting while there is no room."""


class BoundedSink(Sink, Protocol):
    """A sink that says whether it has room, so that nobody has to wait in `put`."""

    sure: bool
    """Whether `put` never waits for entries that `admits` has admitted."""

    def admits(self, entries: Sequence[Entry], cursor: Cursor) -> bool:
        """Say whether there is room for all of *entries* now."""

    async def room(self) -> None:
        """Wait until there is more room; then ask `admits` again."""


class AlwaysRoom:
    """What a `BoundedSink` says that has room for everything."""

    sure = True

    def admits(self, entries: Sequence[Entry], cursor: Cursor) -> bool:  # noqa: ARG002 - see BoundedSink
        """Say that there is room."""
        return True

    async def room(self) -> None:
        """Return at once."""
