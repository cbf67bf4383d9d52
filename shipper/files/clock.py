"""Give every line of a file a time of its own: when it was read, as promtail does."""

from __future__ import annotations

import time
from collections.abc import Callable


SET_BACK_NS = 1_000_000_000
"""A step back that is no jitter: the clock was set, and its word counts."""


class LineClock:
    """Nanoseconds since 1970, each call later than the one before.

    Loki takes two equal lines with one time for the same line sent twice, and sorts by
    time; 1 ns between them keeps both and their order. Only a clock that is set back by
    more than a second is followed backwards: else all lines until the old time comes
    again would bear the same one.
    """

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._last_ns = 0

    def stamp(self) -> int:
        """Return the time of the next line."""
        now_ns = self._now_ns()
        last_ns = self._last_ns
        if last_ns - SET_BACK_NS <= now_ns <= last_ns:
            now_ns = last_ns + 1
        self._last_ns = now_ns
        return now_ns
