"""What pipelines count, and the user's own metrics (promtail stages/util.go)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from prometheus_client.metrics import Counter
from prometheus_client.registry import Collector, CollectorRegistry

from .custom_metrics import Book


MAX_LABEL_PAIRS: Final = 10_000


class PipelineMetrics:
    """Implements `shipper.pipeline.stage.Meters`; one for all pipelines.

    The user's metrics live as long as their configuration: `forget` takes them away.
    Labels that lines were dropped for come out of lines too: of `MAX_LABEL_PAIRS` the
    one that was not used for longest makes room. promtail starts all of them again.
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
        self._pairs: OrderedDict[tuple[str, str], Counter] = OrderedDict()
        self._registry = registry
        self._collectors: list[Collector] = []
        self.custom = Book()

    def dropped(self, reason: str, count: int = 1) -> None:
        """Count lines that a stage dropped."""
        self._dropped.labels(reason).inc(count)

    def dropped_by_label(self, name: str, value: str) -> None:
        """Count a line that was dropped because of what a label has too much of."""
        pair = name, value
        if pair in self._pairs:
            self._pairs.move_to_end(pair)
        else:
            if len(self._pairs) >= MAX_LABEL_PAIRS:
                self._by_label.remove(*self._pairs.popitem(last=False)[0])
            self._pairs[pair] = self._by_label.labels(*pair)
        self._pairs[pair].inc()

    def register(self, collector: Collector) -> None:
        """Show what *collector* collects."""
        self._collectors.append(collector)
        self._registry.register(collector)

    def forget(self) -> None:
        """Take everything away that was registered."""
        for collector in self._collectors:
            self._registry.unregister(collector)
        self._collectors.clear()
        self.custom = Book()
