from __future__ import annotations

import pytest

from exporters.toolkit.exposition import encode
from shipper.metrics import ClientMetrics, DockerMeters, Reason, ShipperMetrics


PROMTAIL = {
    # name: (type, labels), as promtail 3.4.6 shows them after one batch
    "promtail_encoded_bytes_total": ("counter", ["host"]),
    "promtail_sent_bytes_total": ("counter", ["host"]),
    "promtail_sent_entries_total": ("counter", ["host"]),
    "promtail_dropped_bytes_total": ("counter", ["host", "reason", "tenant"]),
    "promtail_dropped_entries_total": ("counter", ["host", "reason", "tenant"]),
    "promtail_mutated_bytes_total": ("counter", ["host", "reason", "tenant"]),
    "promtail_mutated_entries_total": ("counter", ["host", "reason", "tenant"]),
    "promtail_batch_retries_total": ("counter", ["host", "tenant"]),
    "promtail_request_duration_seconds": ("histogram", ["host", "status_code"]),
    "promtail_docker_target_entries_total": ("counter", []),
    "promtail_docker_target_parsing_errors_total": ("counter", []),
    "promtail_config_reload_success_total": ("counter", []),
    "promtail_config_reload_fail_total": ("counter", []),
}


@pytest.fixture
def metrics() -> ShipperMetrics:
    return ShipperMetrics()


def text(metrics: ShipperMetrics) -> str:
    return encode(list(metrics.registry.collect()), lambda problem: None).decode()


def test_names_types_and_labels_are_promtails(metrics: ShipperMetrics) -> None:
    client = ClientMetrics(metrics, "loki:3100")
    client.init_tenant("")
    client.requested(204, 0.01)
    found = {}
    for family in metrics.registry.collect():
        total = "_total" if family.type == "counter" else ""
        labels = {name for sample in family.samples for name in sample.labels} - {"le"}
        found[family.name + total] = (family.type, sorted(labels))
    assert {name: found.get(name) for name in PROMTAIL} == PROMTAIL


def test_series_start_at_zero(metrics: ShipperMetrics) -> None:
    client = ClientMetrics(metrics, "loki:3100")
    client.init_tenant("t")
    shown = text(metrics)
    assert 'promtail_sent_bytes_total{host="loki:3100"} 0\n' in shown
    for reason in Reason:
        line = f'host="loki:3100",reason="{reason}",tenant="t"}} 0\n'
        assert f"promtail_dropped_entries_total{{{line}" in shown


def test_buckets_are_gos(metrics: ShipperMetrics) -> None:
    ClientMetrics(metrics, "h").requested(-1, 0.02)
    shown = text(metrics)
    for line in (
        'host="h",status_code="-1",le="0.01"} 0\n',
        'host="h",status_code="-1",le="0.025"} 1\n',
        'host="h",status_code="-1",le="+Inf"} 1\n',
    ):
        assert f"promtail_request_duration_seconds_bucket{{{line}" in shown
    assert 'le="0.075"' not in shown


def test_every_count_goes_where_it_belongs(metrics: ShipperMetrics) -> None:
    client = ClientMetrics(metrics, "h", wall_clock=lambda: 1234.0)
    client.sent(3, 100)
    client.dropped("t", Reason.RATE_LIMITED, 2, 50)
    client.mutated("t", Reason.LINE_TOO_LONG, 7)
    client.refused("too_far_behind", 4)
    meters = DockerMeters(metrics)
    meters.entries(5)
    meters.gaps(1)
    shown = text(metrics)
    for line in (
        'promtail_sent_entries_total{host="h"} 3',
        'promtail_sent_bytes_total{host="h"} 100',
        'promtail_dropped_bytes_total{host="h",reason="rate_limited",tenant="t"} 50',
        'promtail_mutated_bytes_total{host="h",reason="line_too_long",tenant="t"} 7',
        'shipper_refused_entries_total{host="h",reason="too_far_behind"} 4',
        'shipper_last_acknowledged_timestamp_seconds{host="h"} 1234',
        "promtail_docker_target_entries_total 5",
        "shipper_gaps_total 1",
    ):
        assert f"\n{line}\n" in shown
    assert "_created" not in shown
