from __future__ import annotations

from prometheus_client import CollectorRegistry

from shipper.syslog.meters import Meters, NoMeters
from shipper.syslog.metrics import SyslogMeters


def test_names_and_help_are_promtails() -> None:
    registry = CollectorRegistry()
    meters: Meters = SyslogMeters(registry)
    meters.entries(2)
    meters.parsing_errors(1)
    found = {metric.name: metric.documentation for metric in registry.collect()}
    assert found["promtail_syslog_target_entries"] == (
        "Total number of successful entries sent to the syslog target"
    )
    assert found["promtail_syslog_target_parsing_errors"] == (
        "Total number of parsing errors while receiving syslog messages"
    )
    assert found["promtail_syslog_empty_messages"] == (
        "Total number of empty messages receiving from syslog"
    )
    value = registry.get_sample_value
    assert value("promtail_syslog_target_entries_total") == 2
    assert value("promtail_syslog_target_parsing_errors_total") == 1
    assert value("promtail_syslog_empty_messages_total") == 0


def test_nothing_is_counted() -> None:
    meters: Meters = NoMeters()
    meters.overflowed(1)
