"""How far the journal is read and acknowledged. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from shipper.pipeline.entry import Entry


@dataclass(slots=True)
class _Put:
    """An entry that is under way; *up_to* is the last one before the next of those."""

    realtime_us: int
    up_to: str


class Progress:
    """A `Cursor`: *done* is the journal's cursor up to which everything is decided."""

    def __init__(self, done: str = "") -> None:
        self.done = done
        self.read = done
        """The cursor of the last entry that was read."""
        self._pending: deque[_Put] = deque()

    def put(self, cursor: str, realtime_us: int) -> None:
        """Note that the entry at *cursor* goes to the sink."""
        self.read = cursor
        self._pending.append(_Put(realtime_us, cursor))

    def passed(self, cursor: str) -> None:
        """Note that the entry at *cursor* is not wanted."""
        self.read = cursor
        if self._pending:
            self._pending[-1].up_to = cursor
        else:
            self.done = cursor

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Note that the oldest ``len(entries)`` entries are done."""
        for _ in entries:
            self.done = self._pending.popleft().up_to

    @property
    def oldest_us(self) -> int | None:
        """The time of the oldest entry that is under way."""
        return self._pending[0].realtime_us if self._pending else None
