from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shipper.pipeline import metrics as module
from shipper.pipeline.metrics import MAX_LABEL_PAIRS, PipelineMetrics


BY_LABEL = "logentry_dropped_lines_by_label_total"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def _by_label(registry: CollectorRegistry) -> dict[str, float]:
    return {
        sample.labels["label_value"]: sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == BY_LABEL
    }


def test_lines_by_reason(registry: CollectorRegistry) -> None:
    meters = PipelineMetrics(registry)
    meters.dropped("limit")
    meters.dropped("limit", 2)
    found = registry.get_sample_value(
        "logentry_dropped_lines_total", {"reason": "limit"}
    )
    assert found == 3


def test_labels_that_are_not_used_make_room(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_LABEL_PAIRS", 3)
    meters = PipelineMetrics(registry)
    for value in ("a", "b", "c", "a", "d", "d", "e"):
        meters.dropped_by_label("tenant", value)
    assert _by_label(registry) == {"a": 2, "d": 2, "e": 1}
    meters.dropped_by_label("tenant", "b")
    assert _by_label(registry) == {"d": 2, "e": 1, "b": 1}


def test_a_flood_of_labels_has_a_bound(registry: CollectorRegistry) -> None:
    meters = PipelineMetrics(registry)
    for number in range(MAX_LABEL_PAIRS + 50):
        meters.dropped_by_label("request", str(number))
    kept = _by_label(registry)
    assert len(kept) == MAX_LABEL_PAIRS
    assert "49" not in kept
    assert "50" in kept


class _Custom(Collector):
    def collect(self) -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily("mine", "Mine.", 1)]


def test_what_was_registered_goes_with_its_configuration(
    registry: CollectorRegistry,
) -> None:
    meters = PipelineMetrics(registry)
    meters.register(_Custom())
    assert registry.get_sample_value("mine") == 1
    meters.forget()
    meters.forget()
    assert registry.get_sample_value("mine") is None


def test_the_users_metrics_begin_again_whoever_still_holds_the_old_ones(
    registry: CollectorRegistry,
) -> None:
    """A pipeline is a cycle: until it is collected its metrics stay in memory."""
    meters = PipelineMetrics(registry)
    old = meters.custom.vector("lines", "counter", "Old.", lambda: 0.0)
    meters.forget()
    new = meters.custom.vector("lines", "counter", "New.", lambda: 0.0)
    assert new is not old
