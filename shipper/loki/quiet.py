"""Say a thing that can repeat per line at most once a minute, and how often it was."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass


PERIOD_SECONDS = 60.0
MAX_TOPICS = 1024


@dataclass(slots=True)
class _Topic:
    """When it was last said, and how often not since."""

    said_at: float
    suppressed: int = 0


class Quiet:
    """Counts repetitions and lets one a minute through."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Measure time with the monotonic *clock*, in seconds."""
        self._clock = clock
        self._topics: dict[Hashable, _Topic] = {}

    def may_say(self, topic: Hashable) -> int | None:
        """Return how often *topic* was suppressed since it was said, None: not now."""
        now = self._clock()
        known = self._topics.get(topic)
        if known and now - known.said_at < PERIOD_SECONDS:
            known.suppressed += 1
            return None
        if known is None and len(self._topics) >= MAX_TOPICS:
            self._topics.clear()
        self._topics[topic] = _Topic(now)
        return known.suppressed if known else 0
