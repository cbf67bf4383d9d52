"""Metrics of systemd and its units (node_exporter collector/systemd_linux.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from exporters.node.families import Families
from exporters.node.services.systemd_units import (
    ACCEPTED,
    CONNECTIONS,
    LAST_TRIGGER,
    MOUNT_TYPE,
    REFUSED,
    RESTARTS,
    SERVICE_TYPE,
    STARTED,
    TASKS_CURRENT,
    TASKS_MAX,
    Known,
    Unit,
    summarize,
)
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_STATES = ("active", "activating", "deactivating", "inactive", "failed")
_UNLIMITED = 2**64 - 1  # how systemd says that there is no limit, or no number
_MICROSECONDS = 1e6


class _Number(NamedTuple):
    add: Callable[..., None]  # Families.counter or Families.gauge
    name: str
    help: str
    divisor: float = 1.0


_NUMBERS = {
    RESTARTS: _Number(
        Families.counter,
        "service_restart_total",
        "Service unit count of Restart triggers",
    ),
    TASKS_CURRENT: _Number(
        Families.gauge,
        "unit_tasks_current",
        "Current number of tasks per Systemd unit",
    ),
    TASKS_MAX: _Number(
        Families.gauge, "unit_tasks_max", "Maximum number of tasks per Systemd unit"
    ),
    ACCEPTED: _Number(
        Families.counter,
        "socket_accepted_connections_total",
        "Total number of accepted socket connections",
    ),
    CONNECTIONS: _Number(
        Families.gauge,
        "socket_current_connections",
        "Current number of socket connections",
    ),
    REFUSED: _Number(  # upstream's type
        Families.gauge,
        "socket_refused_connections_total",
        "Total number of refused socket connections",
    ),
    LAST_TRIGGER: _Number(
        Families.gauge,
        "timer_last_trigger_seconds",
        "Seconds since epoch of last trigger.",
        _MICROSECONDS,
    ),
    STARTED: _Number(
        Families.gauge,
        "unit_start_time_seconds",
        "Start time of the unit since unix epoch in seconds.",
        _MICROSECONDS,
    ),
}


def about_systemd(
    version: float, version_text: str, virtualization: str
) -> Iterator[Metric]:
    """Yield which systemd this is, and what it runs on."""
    family = GaugeMetricFamily(
        "node_systemd_version", "Detected systemd version", labels=("version",)
    )
    family.add_metric((version_text,), version)
    yield family
    family = GaugeMetricFamily(
        "node_systemd_virtualization_info",
        "Detected virtualization technology",
        labels=("virtualization_type",),
    )
    family.add_metric((virtualization,), 1)
    yield family


def summary(units: Iterable[Unit]) -> Metric:
    """Return how many units are in each state."""
    family = GaugeMetricFamily(
        "node_systemd_units", "Summary of systemd unit states", labels=("state",)
    )
    for state, total in summarize(units, _STATES).items():
        family.add_metric((state,), total)
    return family


def running(is_running: bool) -> Metric:
    """Return whether the system is up."""
    return GaugeMetricFamily(
        "node_systemd_system_running",
        "Whether the system is operational (see 'systemctl is-system-running')",
        float(is_running),
    )


def of_units(
    asked: Iterable[tuple[Unit, Known]], *, start_times: bool
) -> Iterator[Metric]:
    """Yield what is known of units; raises afterwards what asking for them raised."""
    families = Families()
    problem: Exception | None = None
    try:
        for unit, known in asked:
            add_unit(families, unit, known, start_times=start_times)
    except (OSError, ValueError) as error:
        problem = error
    yield from families
    if problem is not None:
        raise problem


def add_unit(
    families: Families, unit: Unit, known: Known, *, start_times: bool
) -> None:
    """Add the state of *unit* and the numbers that are known of it."""
    kind = known.get(SERVICE_TYPE, known.get(MOUNT_TYPE, ""))
    for state in _STATES:
        labels = {"name": unit.name, "state": state, "type": kind}
        families.gauge(
            "node_systemd_unit_state",
            "Systemd unit",
            float(state == unit.active_state),
            labels,
        )
    if start_times and unit.active_state != "active":
        known = {**known, STARTED: 0}
    for wanted, number in _NUMBERS.items():
        value = known.get(wanted)
        if value is not None and value != _UNLIMITED:
            number.add(
                families,
                f"node_systemd_{number.name}",
                number.help,
                value / number.divisor,
                {"name": unit.name},
            )
