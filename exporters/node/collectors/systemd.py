"""Units, timers and sockets of systemd, over D-Bus (collector/systemd_linux.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from exporters.node.device_filter import log_pattern, renamed
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.services import systemd_families
from exporters.node.services.systemd_units import (
    OLDEST_VERSION_WITH_STATE,
    Unit,
    Wishes,
)
from exporters.toolkit.flags import Flag, Values, boolean, string
from exporters.toolkit.metric import Metric
from exporters.toolkit.regex import Regex


UNIT_INCLUDE = string(
    "collector.systemd.unit-include",
    "Regexp of systemd units to include. Units must both match include and not match"
    " exclude to be included.",
    default=".+",
)
OLD_UNIT_INCLUDE = string(
    "collector.systemd.unit-whitelist",
    "DEPRECATED: Use --collector.systemd.unit-include",
    hidden=True,
)
UNIT_EXCLUDE = string(
    "collector.systemd.unit-exclude",
    "Regexp of systemd units to exclude. Units must both match include and not match"
    " exclude to be included.",
    default=r".+\.(automount|device|mount|scope|slice)",
)
OLD_UNIT_EXCLUDE = string(
    "collector.systemd.unit-blacklist",
    "DEPRECATED: Use collector.systemd.unit-exclude",
    hidden=True,
)
PRIVATE = boolean(
    "collector.systemd.private",
    "Establish a private, direct connection to systemd without dbus (Strongly"
    " discouraged since it requires root. For testing purposes only).",
    hidden=True,
)
TASK_METRICS = boolean(
    "collector.systemd.enable-task-metrics",
    "Enables service unit tasks metrics unit_tasks_current and unit_tasks_max",
)
RESTARTS_METRICS = boolean(
    "collector.systemd.enable-restarts-metrics",
    "Enables service unit metric service_restart_total",
)
START_TIME_METRICS = boolean(
    "collector.systemd.enable-start-time-metrics",
    "Enables service unit metric unit_start_time_seconds",
)


def create(context: Context) -> Collect:
    """Return the collector. Raises StartError for patterns that cannot be."""
    # jeepney, which is behind it, is only for who has this collector.
    from exporters.node.services import systemd  # noqa: PLC0415

    values = context.values
    is_wanted = unit_filter(values)

    def collect() -> Iterator[Metric]:
        with systemd.connect(private=values[PRIVATE]) as connection:
            manager = systemd.ask_manager(connection)
            yield from systemd_families.about_systemd(*manager.identity)
            units = manager.units()
            yield systemd_families.summary(units)
            asked = systemd.ask_units(
                connection, filter(is_wanted, units), wishes(values, manager.version)
            )
            start_times = values[START_TIME_METRICS]
            yield from systemd_families.of_units(asked, start_times=start_times)
            running = manager.is_running()
            if running is not None:
                yield systemd_families.running(running)

    return collect


def wishes(values: Values, version: float) -> Wishes:
    """Return what to ask of units, by the flags and the *version* of systemd."""
    return Wishes(
        restarts=values[RESTARTS_METRICS],
        tasks=values[TASK_METRICS],
        start_times=values[START_TIME_METRICS],
        timers=version >= OLDEST_VERSION_WITH_STATE,
    )


def unit_filter(values: Values) -> Callable[[Unit], bool]:
    """Return what tells whether a unit is loaded and wanted. Raises StartError."""
    exclude = _pattern(values, UNIT_EXCLUDE, OLD_UNIT_EXCLUDE)
    include = _pattern(values, UNIT_INCLUDE, OLD_UNIT_INCLUDE)
    log_pattern(UNIT_INCLUDE, include)
    log_pattern(UNIT_EXCLUDE, exclude)
    included, excluded = _anchored(include), _anchored(exclude)

    def is_wanted(unit: Unit) -> bool:
        return (
            unit.load_state == "loaded"
            and included.search(unit.name)
            and not excluded.search(unit.name)
        )

    return is_wanted


def _pattern(values: Values, flag: Flag[str], old: Flag[str]) -> str:
    return renamed(values, flag, old, taken=values.given(flag))


def _anchored(pattern: str) -> Regex:
    return Regex(f"^(?:{pattern})$")


COLLECTOR = CollectorSpec(
    "systemd",
    create,
    default_enabled=False,
    flags=(
        UNIT_INCLUDE,
        OLD_UNIT_INCLUDE,
        UNIT_EXCLUDE,
        OLD_UNIT_EXCLUDE,
        PRIVATE,
        TASK_METRICS,
        RESTARTS_METRICS,
        START_TIME_METRICS,
    ),
)
