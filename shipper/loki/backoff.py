"""How long to wait before the next attempt (dskit backoff, promtail's defaults)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime


LONGEST_RETRY_AFTER_SECONDS = 600.0
"""A broken or hostile Retry-After must not stop a stream for days."""

LEAST_SECONDS = 0.1
"""``min_period: 0`` is legal in promtail and would spin."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that double from *min_seconds*, never above *max_seconds*."""

    min_seconds: float = 0.5
    max_seconds: float = 300.0

    def delay(self, attempt: int, fraction: float | None = None) -> float:
        """Return the seconds to wait after failed *attempt*, counted from 1.

        As in dskit the delay lies between d and 2 d, where d doubles each time;
        *fraction* says where (0 to 1) and is drawn when it is not given.
        """
        if fraction is None:
            fraction = random.random()  # noqa: S311 - jitter is no secret
        doublings = min(attempt - 1, 62)  # more only overflows the float
        least = max(self.min_seconds, LEAST_SECONDS)
        low = min(least * 2.0**doublings, max(self.max_seconds, LEAST_SECONDS))
        high = min(low * 2.0, max(self.max_seconds, low))
        return low + fraction * (high - low)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for (RFC 9110 §10.2.3), or None."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 1 MiB of mail

        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)
