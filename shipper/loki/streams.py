"""limits_config.max_streams: the streams of one batch (promtail batch.go, add)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shipper.pipeline.entry import Labels


MAX_TENANTS = 1024
"""So many windows are kept before those that are over are thrown away."""


@dataclass(slots=True)
class _Window:
    """The streams of one period, and how many there were."""

    opened_at: float
    size: int = 0
    streams: set[Labels] = field(default_factory=set)


class StreamLimit:
    """Counts the streams of each tenant in windows as long as a batch of promtail.

    One push carries one stream here, so there is no batch to count in; a window opens
    with an entry and closes by the age or the size that would close a batch. It does
    not depend on Loki: an outage drops nothing that would otherwise be sent.
    """

    def __init__(
        self,
        max_streams: int,
        *,
        size_bytes: int,
        wait_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        """Allow *max_streams* for each tenant, 0: any number."""
        self._max_streams = max_streams
        self._size_bytes = size_bytes
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def admits(self, tenant: str, labels: Labels, size: int) -> bool:
        """Take an entry of *size* bytes in; False: it is of a stream too many."""
        if not self._max_streams:
            return True
        window = self._window(tenant, size)
        if labels not in window.streams:
            if len(window.streams) >= self._max_streams:
                return False
            window.streams.add(labels)
        window.size += size
        return True

    def _window(self, tenant: str, size: int) -> _Window:
        now = self._clock()
        window = self._windows.get(tenant)
        if (
            window is None
            or self._is_over(window, now)
            or window.size + size > self._size_bytes
        ):
            if len(self._windows) >= MAX_TENANTS:
                self._forget(now)
            window = self._windows[tenant] = _Window(now)
        return window

    def _is_over(self, window: _Window, now: float) -> bool:
        return now - window.opened_at >= self._wait_seconds

    def _forget(self, now: float) -> None:
        over = [t for t, w in self._windows.items() if self._is_over(w, now)]
        for tenant in over:
            del self._windows[tenant]
