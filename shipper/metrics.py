"""The shipper's own metrics: promtail's names, types, HELP texts and labels, and a few
of ours. Upstream: clients/pkg/promtail/client/metrics.go, targets/docker/metrics.go,
promtail.go of Loki 3.4.6.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

from prometheus_client.metrics import Counter, Gauge, Histogram
from prometheus_client.registry import CollectorRegistry


DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""client_golang's DefBuckets; prometheus_client's default has three more."""


class Reason(StrEnum):
    """Why promtail dropped or changed entries: the label ``reason``."""

    GENERIC = "ingester_error"
    RATE_LIMITED = "rate_limited"
    STREAM_LIMITED = "stream_limited"
    LINE_TOO_LONG = "line_too_long"


class ShipperMetrics:
    """Every metric of one shipper, in a registry of its own."""

    def __init__(self) -> None:
        """Create the metrics at zero."""
        self.registry = registry = CollectorRegistry(auto_describe=False)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        host, tenant, reason = "host", "tenant", "reason"
        self.encoded_bytes = counter(
            "promtail_encoded_bytes_total",
            "Number of bytes encoded and ready to send.",
            host,
        )
        self.sent_bytes = counter(
            "promtail_sent_bytes_total", "Number of bytes sent.", host
        )
        self.sent_entries = counter(
            "promtail_sent_entries_total",
            "Number of log entries sent to the ingester.",
            host,
        )
        self.dropped_bytes = counter(
            "promtail_dropped_bytes_total",
            "Number of bytes dropped because failed to be sent to the ingester "
            "after all retries.",
            host, tenant, reason,
        )  # fmt: skip
        self.dropped_entries = counter(
            "promtail_dropped_entries_total",
            "Number of log entries dropped because failed to be sent to the ingester "
            "after all retries.",
            host, tenant, reason,
        )  # fmt: skip
        self.mutated_entries = counter(
            "promtail_mutated_entries_total",
            "The total number of log entries that have been mutated.",
            host, tenant, reason,
        )  # fmt: skip
        self.mutated_bytes = counter(
            "promtail_mutated_bytes_total",
            "The total number of bytes that have been mutated.",
            host, tenant, reason,
        )  # fmt: skip
        self.batch_retries = counter(
            "promtail_batch_retries_total",
            "Number of times batches has had to be retried.",
            host, tenant,
        )  # fmt: skip
        self.request_duration = Histogram(
            "promtail_request_duration_seconds",
            "Duration of send requests.",
            ("status_code", host),
            buckets=DURATION_BUCKETS,
            registry=registry,
        )
        self.docker_entries = counter(
            "promtail_docker_target_entries_total",
            "Total number of successful entries sent to the Docker target",
        )
        self.docker_errors = counter(
            "promtail_docker_target_parsing_errors_total",
            "Total number of parsing errors while receiving Docker messages",
        )
        self.reload_success = counter(
            "promtail_config_reload_success_total",
            "Number of reload success times.",
        )
        self.reload_fail = counter(
            "promtail_config_reload_fail_total", "Number of reload fail times."
        )
        self.positions_failures = counter(
            "shipper_positions_failures_total",
            "Times that the positions could not be written; it is tried again.",
        )
        self.refused_entries = counter(
            "shipper_refused_entries_total",
            "Log entries Loki refused for good, by the reason Loki gave.",
            host, reason,
        )  # fmt: skip
        self.limited_entries = counter(
            "shipper_limited_entries_total",
            "Log entries that were over a limit of Loki and handled before the push.",
            host, reason, "action",
        )  # fmt: skip
        self.last_acknowledged = Gauge(
            "shipper_last_acknowledged_timestamp_seconds",
            "When Loki last acknowledged a push; 0 before the first.",
            (host,),
            registry=registry,
        )
        self.queue_bytes = Gauge(
            "shipper_queue_bytes",
            "Memory held by log entries that are read and not decided yet.",
            registry=registry,
        )
        self.queue_entries = Gauge(
            "shipper_queue_entries",
            "Log entries that are read and not decided yet.",
            registry=registry,
        )
        self.reconnects = counter(
            "shipper_docker_reconnects_total",
            "Log connections to Docker that were lost or could not be opened.",
        )
        self.rereads = counter(
            "shipper_docker_rereads_total",
            "Readings of Docker's files for lines its follower may have left out.",
        )
        self.duplicates = counter(
            "shipper_duplicates_suppressed_total",
            "Lines read again after a reconnect and recognised as already sent.",
        )
        self.gaps = counter(
            "shipper_gaps_total",
            "Places where Docker no longer had the lines that come next.",
        )
        self.truncated = counter(
            "shipper_truncated_lines_total",
            "Lines cut because they are longer than what is kept of one.",
        )


class DockerMeters:
    """Counts for the Docker side: implements `shipper.docker.meters.Meters`."""

    def __init__(self, metrics: ShipperMetrics) -> None:
        """Count in *metrics*; all jobs share the counters, as in promtail."""
        self.entries = metrics.docker_entries.inc
        self.parsing_errors = metrics.docker_errors.inc
        self.truncated = metrics.truncated.inc
        self.duplicates = metrics.duplicates.inc
        self.gaps = metrics.gaps.inc
        self.reconnects = metrics.reconnects.inc
        self.rereads = metrics.rereads.inc


class ClientMetrics:
    """The metrics of one Loki client: *host* is filled in."""

    def __init__(
        self,
        metrics: ShipperMetrics,
        host: str,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Count for *host* (host:port of the URL), all series at zero first."""
        self._metrics = metrics
        self._host = host
        self._wall_clock = wall_clock
        self._tenants: set[str] = set()
        self._encoded = metrics.encoded_bytes.labels(host)
        self._sent_bytes = metrics.sent_bytes.labels(host)
        self._sent_entries = metrics.sent_entries.labels(host)
        self._last_acknowledged = metrics.last_acknowledged.labels(host)

    def init_tenant(self, tenant: str) -> None:
        """Show the series of *tenant* before anything happened, as promtail does."""
        if tenant in self._tenants:
            return
        self._tenants.add(tenant)
        metrics = self._metrics
        for family in (
            metrics.dropped_bytes, metrics.dropped_entries,
            metrics.mutated_entries, metrics.mutated_bytes,
        ):  # fmt: skip
            for reason in Reason:
                family.labels(self._host, tenant, reason.value)
        metrics.batch_retries.labels(self._host, tenant)

    def encoded(self, size: int) -> None:
        """Count a body of *size* bytes made ready."""
        self._encoded.inc(size)

    def requested(self, status: int, seconds: float) -> None:
        """Count an attempt that ended with *status* after *seconds*."""
        self._metrics.request_duration.labels(str(status), self._host).observe(seconds)

    def sent(self, entries: int, size: int) -> None:
        """Count *entries* that Loki stored, *size* compressed bytes."""
        self._sent_entries.inc(entries)
        self._sent_bytes.inc(size)
        self._last_acknowledged.set(self._wall_clock())

    def retried(self, tenant: str) -> None:
        """Count a batch of *tenant* that must be sent again."""
        self._metrics.batch_retries.labels(self._host, tenant).inc()

    def dropped(self, tenant: str, reason: Reason, entries: int, size: int) -> None:
        """Count *entries* of *tenant* given up, *size* bytes."""
        labels = (self._host, tenant, reason.value)
        self._metrics.dropped_entries.labels(*labels).inc(entries)
        self._metrics.dropped_bytes.labels(*labels).inc(size)

    def mutated(self, tenant: str, reason: Reason, size: int) -> None:
        """Count one entry of *tenant* that lost *size* bytes."""
        labels = (self._host, tenant, reason.value)
        self._metrics.mutated_entries.labels(*labels).inc()
        self._metrics.mutated_bytes.labels(*labels).inc(size)

    def refused(self, reason: str, entries: int) -> None:
        """Count *entries* refused with Loki's own *reason*."""
        self._metrics.refused_entries.labels(self._host, reason).inc(entries)

    def limited(self, reason: str, action: str, entries: int) -> None:
        """Count *entries* over the limit *reason*, and what was done: *action*."""
        labels = (self._host, reason, action)
        self._metrics.limited_entries.labels(*labels).inc(entries)
