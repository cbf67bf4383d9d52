"""Let a number of requests through at once and one more after each interval.

Upstream counterpart: golang.org/x/time ``rate``, as exporter-toolkit uses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class RateLimiter:
    """A bucket of *burst* tokens, one of which comes back every *interval_seconds*.

    An interval below zero lets everything through, as it does upstream.
    """

    def __init__(
        self,
        burst: int,
        interval_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._interval = interval_seconds
        self._clock = clock
        self._tokens = float(burst)
        self._last = clock()

    def allow(self) -> bool:
        """Take a token; tell whether there was one."""
        if self._interval <= 0:
            return True
        now = self._clock()
        self._tokens += (now - self._last) / self._interval
        self._tokens = min(self._tokens, float(self._burst))
        self._last = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
