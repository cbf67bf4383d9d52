"""Metrics of syslog targets (promtail targets/syslog/metrics.go), and some of ours."""

from __future__ import annotations

from prometheus_client.metrics import Counter
from prometheus_client.registry import CollectorRegistry


class SyslogMeters:
    """Counts for the syslog side: implements `shipper.syslog.meters.Meters`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Create the metrics in *registry*; all jobs share them, as in promtail."""

        def counter(name: str, text: str) -> Counter:
            return Counter(name, text, registry=registry)

        self.entries = counter(
            "promtail_syslog_target_entries_total",
            "Total number of successful entries sent to the syslog target",
        ).inc
        self.parsing_errors = counter(
            "promtail_syslog_target_parsing_errors_total",
            "Total number of parsing errors while receiving syslog messages",
        ).inc
        self.empty_messages = counter(
            "promtail_syslog_empty_messages_total",
            "Total number of empty messages receiving from syslog",
        ).inc
        self.filtered = counter(
            "shipper_syslog_filtered_total",
            "Syslog messages that relabel_configs drop.",
        ).inc
        self.truncated = counter(
            "shipper_syslog_truncated_total",
            "Syslog messages cut because they are longer than what is kept of one.",
        ).inc
        self.overflowed = counter(
            "shipper_syslog_dropped_datagrams_total",
            "Datagrams dropped because they came faster than they could be sent on.",
        ).inc
        self.refused = counter(
            "shipper_syslog_refused_connections_total",
            "Connections refused because too many are open.",
        ).inc
