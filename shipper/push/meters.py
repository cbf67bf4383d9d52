"""What the push receiver counts, as a seam: the metrics are in ``metrics.py``."""

from __future__ import annotations

from typing import Protocol


class Meters(Protocol):
    """Counters of all jobs."""

    def answered(self, status: int) -> None:
        """Count a request answered with *status*."""

    def entries(self, count: int) -> None:
        """Count entries put."""

    def filtered(self, count: int) -> None:
        """Count entries that relabelling drops."""

    def unacknowledged(self, count: int) -> None:
        """Count entries of requests answered before Loki had them: they come again."""


class NoMeters:
    """Count nothing."""

    def answered(self, status: int) -> None:
        """Ignore *status*."""

    def entries(self, count: int) -> None:
        """Ignore *count*."""

    filtered = unacknowledged = entries
