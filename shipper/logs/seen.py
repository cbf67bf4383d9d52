"""Remembers the lines of the last seconds, so that asking again shows none twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .lines import Line
from .times import SECOND_NS


SPAN_NS: Final = 30 * SECOND_NS
"""How late a line may be stored and still be found after a gap."""

MOST_LINES: Final = 500_000
"""What is remembered at most (about 60 MB); beyond it the oldest seconds go, never the
newest one."""


class Seen:
    """Lines shown, by the second they are of.

    *floor_ns* is where to ask again from: lines before it are not remembered, or
    were not to be shown. What is remembered reaches twice as far back as that, for
    answers that are on their way while it moves.
    """

    def __init__(self, floor_ns: int, most: int = MOST_LINES) -> None:
        """Know of no line; none before *floor_ns* is wanted."""
        self.floor_ns = floor_ns
        self._most = most
        self._count = 0
        self._newest_ns = 0
        self._seconds: dict[int, set[int]] = {}

    def fresh(self, lines: Iterable[Line], now_ns: int) -> list[Line]:
        """Return those of *lines* not seen before, and remember them.

        As in Loki, two lines are one when time, stream and text are the same.
        """
        found = []
        for line in lines:
            second = self._seconds.setdefault(line.timestamp_ns // SECOND_NS, set())
            key = hash(line[:3])
            if key not in second:
                second.add(key)
                self._count += 1
                found.append(line)
        if found:
            # A time in the future must not move the floor over what is to come.
            newest = min(max(line.timestamp_ns for line in found), now_ns)
            self._newest_ns = max(self._newest_ns, newest)
            self._forget()
        return found

    def _forget(self) -> None:
        self.floor_ns = max(self.floor_ns, self._newest_ns - SPAN_NS)
        oldest = (self._newest_ns - 2 * SPAN_NS) // SECOND_NS
        for second in sorted(self._seconds):
            crowded = self._count > self._most and second < self._newest_ns // SECOND_NS
            if second >= oldest and not crowded:
                break
            self._count -= len(self._seconds.pop(second))
            self.floor_ns = max(self.floor_ns, (second + 1) * SECOND_NS)
