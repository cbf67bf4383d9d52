"""What the spool counts: names of ours, promtail has none."""

from __future__ import annotations

from prometheus_client.metrics import Counter, Gauge
from prometheus_client.registry import CollectorRegistry

from .volume import Volume


class SpoolMeters:
    """Implements `shipper.spool.volume.Meters` in *registry*."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._bytes = Gauge(
            "shipper_spool_bytes",
            "Bytes on disk of lines that found no room in memory, or were left at a "
            "stop.",
            registry=registry,
        )
        self._limit = Gauge(
            "shipper_spool_limit_bytes",
            "Bytes that the spool may take; 0 without a spool.",
            registry=registry,
        )
        self._full = Counter(
            "shipper_spool_full_total",
            "Times that lines had to wait because the spool had no room for them.",
            registry=registry,
        )
        self._errors = Counter(
            "shipper_spool_errors_total",
            "Writes to the spool that the disk refused; they are tried again.",
            registry=registry,
        )
        self._damaged = Counter(
            "shipper_spool_damaged_blocks_total",
            "Blocks of the spool that could not be read back, and are lost.",
            registry=registry,
        )

    def show(self, volume: Volume) -> None:
        """Show what *volume* holds from now on."""
        self._bytes.set_function(lambda: volume.used_bytes)
        self._limit.set(volume.limit_bytes)

    def full(self) -> None:
        """Count that a queue found no room."""
        self._full.inc()

    def failed(self) -> None:
        """Count that the disk refused."""
        self._errors.inc()

    def damaged(self, blocks: int) -> None:
        """Count *blocks* that could not be read back."""
        self._damaged.inc(blocks)
