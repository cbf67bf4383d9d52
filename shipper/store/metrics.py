"""The store's own metrics: Loki's names where Loki has them, else ``log_store_``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric

from shipper.store.model import Refusal


class StoreMetrics:
    """Every metric of one store, in a registry of its own."""

    def __init__(self) -> None:
        """Create the metrics at zero."""
        self.registry = registry = CollectorRegistry(auto_describe=False)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        self.bytes_received = counter(
            "loki_distributor_bytes_received_total",
            "The total number of uncompressed bytes received per tenant.",
            "tenant",
        )
        self.lines_received = counter(
            "loki_distributor_lines_received_total",
            "The total number of lines received per tenant",
            "tenant",
        )
        self.discarded_samples = counter(
            "loki_discarded_samples_total",
            "The total number of samples that were discarded.",
            "reason", "tenant",
        )  # fmt: skip
        self.discarded_bytes = counter(
            "loki_discarded_bytes_total",
            "The total number of bytes that were discarded.",
            "reason", "tenant",
        )  # fmt: skip
        self.duplicates = counter(
            "log_store_duplicate_lines_total",
            "Lines that were already there with the same labels, time and text.",
        )
        self.failures = counter(
            "log_store_push_failures_total",
            "Pushes that SQLite did not take; nothing of them was stored.",
        )
        self.deleted = counter(
            "log_store_deleted_lines_total", "Lines that retention deleted."
        )
        self.streams = Gauge(
            "log_store_streams", "Streams in the file.", registry=registry
        )
        self.file_bytes = Gauge(
            "log_store_file_bytes",
            "Size of the database and its write-ahead log.",
            registry=registry,
        )

    def refused(self, tenant: str, refusals: Sequence[Refusal]) -> None:
        """Count what was not stored."""
        for refusal in refusals:
            self.discarded_samples.labels(refusal.reason, tenant).inc(refusal.lines)
            self.discarded_bytes.labels(refusal.reason, tenant).inc(refusal.size_bytes)

    def watch(self, path: str, streams: Callable[[], int]) -> None:
        """Ask for the number of *streams* and the size of *path* at each scrape."""
        self.streams.set_function(streams)
        self.file_bytes.set_function(lambda: _size(path) + _size(f"{path}-wal"))

    def collect(self) -> Iterable[Metric]:
        """Return the families as they are now."""
        return list(self.registry.collect())


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
