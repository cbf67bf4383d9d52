"""Metrics of journal targets (promtail targets/journal/metrics.go)."""

from __future__ import annotations

from typing import Protocol

from prometheus_client.metrics import Counter

from shipper.metrics import ShipperMetrics


class Meters(Protocol):
    """What a journal source counts."""

    def line(self) -> None:
        """Count an entry that goes to the sink."""

    def error(self, reason: str) -> None:
        """Count one that does not: no_message, empty_labels or malformed."""

    def truncated(self, count: int) -> None:
        """Count fields that were cut, or left out, since they are too long."""


class JournalMeters:
    """Counts for all jobs, in the registry of *metrics*."""

    def __init__(self, metrics: ShipperMetrics) -> None:
        registry = metrics.registry
        self.line = Counter(
            "promtail_journal_target_lines_total",
            "Total number of successful journal lines read",
            registry=registry,
        ).inc
        self._errors = Counter(
            "promtail_journal_target_parsing_errors_total",
            "Total number of parsing errors while reading journal messages",
            ("error",),
            registry=registry,
        )
        self.truncated = metrics.truncated.inc

    def error(self, reason: str) -> None:
        """Count an entry that does not go to the sink."""
        self._errors.labels(reason).inc()
