"""How many lines may pass in a time (golang.org/x/time/rate).

Nothing waits here: a reservation says how long its line has to.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf


class TokenBucket:
    """Holds at most *burst* tokens and gains *rate* of them each second.

    It begins full. *clock* gives seconds that never go back; *rate* is more than 0
    and *burst* at least 1: with less no line would ever pass.
    """

    __slots__ = ("_at", "_burst", "_clock", "_rate", "_tokens")

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._tokens = self._burst
        self._at = -inf

    def allow(self) -> bool:
        """Take a token if there is one; say whether there was."""
        self._fill(self._clock())
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def reserve(self, after_seconds: float = 0.0) -> float:
        """Take a token even if it is yet to come; return the seconds until it does.

        The line comes here in *after_seconds*, for it has to wait elsewhere before; the
        seconds returned are in addition to these.
        """
        self._fill(self._clock() + after_seconds)
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._rate)

    def _fill(self, now: float) -> None:
        if now <= self._at:  # a line that waited elsewhere was here before its time
            return
        gained = (now - self._at) * self._rate
        self._tokens = min(self._burst, self._tokens + gained)
        self._at = now
