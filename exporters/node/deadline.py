"""How long the scrape that runs a collector still waits for it.

Most collectors need not know. One that itself waits for others, as filesystem does for
mounts, can answer in time with what it has.
"""

from __future__ import annotations

import math
import time
from contextvars import ContextVar


# Of what is left, for waiting; the rest is for saying what came.
_PATIENCE_SHARE = 0.9

_until: ContextVar[float] = ContextVar("collector_deadline", default=math.inf)


class within:  # noqa: N801 - it reads as a word; a generator takes twice the time
    """Let what runs in this context and thread know that it has *seconds*."""

    __slots__ = ("_seconds", "_token")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = _until.set(time.monotonic() + self._seconds)

    def __exit__(self, *_: object) -> None:
        _until.reset(self._token)


def seconds_left() -> float:
    """Return the seconds left, infinite where no scrape waits; never negative."""
    return max(0.0, _until.get() - time.monotonic())


def patience(own_seconds: float = math.inf) -> float:
    """Return how long to wait for others: *own_seconds*, or as the scrape allows."""
    return min(own_seconds, seconds_left() * _PATIENCE_SHARE)
