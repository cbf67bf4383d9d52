"""What pipelines count, and the user's own metrics (promtail stages/util.go)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.registry import Collector


class PipelineMetrics:
    """Implements `shipper.pipeline.stage.Meters`; one for all pipelines.

    The user's metrics live as long as their configuration: `forget` takes them away.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._dropped = Counter(
            "logentry_dropped_lines_total",
            "A count of all log lines dropped as a result of a pipeline stage",
            ("reason",),
            registry=registry,
        )
        self._by_label = Counter(
            "logentry_dropped_lines_by_label_total",
            "A count of all log lines dropped as a result of a pipeline stage",
            ("label_name", "label_value"),
            registry=registry,
        )
        self._registry = registry
        self._custom: list[Collector] = []

    def dropped(self, reason: str, count: int = 1) -> None:
        """Count lines that a stage dropped."""
        self._dropped.labels(reason).inc(count)

    def dropped_by_label(self, name: str, value: str) -> None:
        """Count a line that was dropped because of what a label has too much of."""
        self._by_label.labels(name, value).inc()

    def register(self, collector: Collector) -> None:
        """Show what *collector* collects."""
        self._custom.append(collector)
        self._registry.register(collector)

    def forget(self) -> None:
        """Take everything away that was registered."""
        for collector in self._custom:
            self._registry.unregister(collector)
        self._custom.clear()
