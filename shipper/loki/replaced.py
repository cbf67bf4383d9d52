"""Count bytes that JSON cannot carry, beside promtail's own mutations."""

from __future__ import annotations

from typing import Final

from shipper.metrics import ShipperMetrics

from .settings import ClientSettings


INVALID_UTF8: Final = "invalid_utf8"
"""The label ``reason``; promtail, which sends protobuf only, has no such."""


class ReplacedBytes:
    """Adds to ``promtail_mutated_*`` of one client what became U+FFFD."""

    def __init__(self, metrics: ShipperMetrics, settings: ClientSettings) -> None:
        """Count for the host of *settings*; nothing shows before it happens."""
        self._metrics = metrics
        self._host = settings.host

    def count(self, tenant: str, entries: int, size: int) -> None:
        """Note *entries* of *tenant* that were stored with *size* bytes replaced."""
        labels = (self._host, tenant, INVALID_UTF8)
        self._metrics.mutated_entries.labels(*labels).inc(entries)
        self._metrics.mutated_bytes.labels(*labels).inc(size)
