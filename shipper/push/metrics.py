"""Metrics of the push receiver. promtail has none: they are ours."""

from __future__ import annotations

from prometheus_client.metrics import Counter
from prometheus_client.registry import CollectorRegistry


class PushMeters:
    """Counts for the receiver: implements `shipper.push.meters.Meters`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Create the metrics in *registry*; all jobs share them."""

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        self._requests = counter(
            "shipper_push_requests_total",
            "Pushes received, by the status they were answered with.",
            "status_code",
        )
        self.entries = counter(
            "shipper_push_entries_total", "Entries of pushes handed on."
        ).inc
        self.filtered = counter(
            "shipper_push_filtered_total",
            "Entries of pushes that relabel_configs drop.",
        ).inc
        self.unacknowledged = counter(
            "shipper_push_unacknowledged_total",
            "Entries of pushes answered 503 because Loki had not taken them in time.",
        ).inc

    def answered(self, status: int) -> None:
        """Count a request answered with *status*."""
        self._requests.labels(str(status)).inc()
