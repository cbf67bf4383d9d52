from __future__ import annotations

from prometheus_client import CollectorRegistry

from shipper.push.meters import Meters, NoMeters
from shipper.push.metrics import PushMeters


def test_names() -> None:
    registry = CollectorRegistry()
    meters: Meters = PushMeters(registry)
    meters.answered(204)
    meters.entries(3)
    value = registry.get_sample_value
    assert value("shipper_push_requests_total", {"status_code": "204"}) == 1
    assert value("shipper_push_entries_total") == 3
    assert value("shipper_push_filtered_total") == 0
    assert value("shipper_push_unacknowledged_total") == 0


def test_nothing_is_counted() -> None:
    meters: Meters = NoMeters()
    meters.answered(204)
