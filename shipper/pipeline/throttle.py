"""``limits_config.readline_rate``: how many lines a second leave all pipelines.

One `Throttle` stands at the end of every pipeline (promtail stages/pipeline.go).
"""

from __future__ import annotations

from collections.abc import Callable

from .record import Record
from .stage import Filter, Meters
from .token_bucket import TokenBucket


DROP_REASON = "global_rate_limiter_drop"


class Throttle(Filter):
    """Lets *rate* lines a second pass, *burst* at once, and drops or delays more.

    *clock* is monotonic; *rate* is more than 0, *burst* at least 1.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        drop: bool,
        meters: Meters,
        clock: Callable[[], float],
    ) -> None:
        self._bucket = TokenBucket(rate, burst, clock)
        self._drop = drop
        self._meters = meters

    def apply(self, record: Record) -> bool:
        """Say whether *record* passes, or set how long it has to wait."""
        if not self._drop:
            record.delay_seconds += self._bucket.reserve(record.delay_seconds)
            return True
        if self._bucket.allow():
            return True
        self._meters.dropped(DROP_REASON)
        return False
