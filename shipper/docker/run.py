"""Accepted lines of one stream that go together, from a read to its acknowledgement.

One object for some hundred lines: what would be done for each is done at once where the
times of the lines rise, as they nearly always do. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter, lt
from typing import Final

from shipper.pipeline.entry import Entry


BEFORE_MARK = -1
"""Stands for the checksum of a line that does not move the mark when it is done."""

TIME: Final[Callable[[Entry], int]] = itemgetter(0)
"""Takes the time from an entry."""

LINE: Final[Callable[[Entry], bytes]] = itemgetter(1)
"""Takes the line from an entry."""


class Run:
    """Lines of *stream* with their *checksums*, in reading order.

    *rising* says that each is later than the one before, and moves the mark. The first
    *done* of them are done.
    """

    __slots__ = ("checksums", "done", "entries", "rising", "stream")

    def __init__(
        self,
        stream: int,
        entries: Sequence[Entry],
        checksums: Sequence[int],
        *,
        rising: bool = False,
    ) -> None:
        self.stream = stream
        self.entries = entries
        self.checksums = checksums
        self.rising = rising
        self.done = 0

    def __len__(self) -> int:
        """Return how many are not done."""
        return len(self.entries) - self.done

    def __iter__(self) -> Iterator[tuple[Entry, int]]:
        """Yield the lines that are not done, and their checksums."""
        for at in range(self.done, len(self.entries)):
            yield self.entries[at], self.checksums[at]

    @property
    def oldest_ns(self) -> int:
        """The least time of the lines that are not done."""
        if self.rising:
            return self.entries[self.done].timestamp_ns
        return min(map(TIME, self.entries[self.done :]))


def rise(times: Sequence[int]) -> bool:
    """Say whether each of *times* is greater than the one before."""
    return all(map(lt, times, times[1:]))
