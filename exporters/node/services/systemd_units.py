"""What systemd knows of its units: pure, nothing here talks to it.

Counterpart of go-systemd ``dbus/methods.go``; the properties are those of
org.freedesktop.systemd1(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Unit(NamedTuple):
    """One unit of ``ListUnits``; *path* is that of its D-Bus object."""

    name: str
    load_state: str
    active_state: str
    path: str


class Property(NamedTuple):
    """A property: the interface that has it, its name and its D-Bus type."""

    interface: str
    name: str
    signature: str


Known = Mapping[Property, Any]
"""The properties of a unit that systemd told."""

SERVICE_TYPE = Property("Service", "Type", "s")
MOUNT_TYPE = Property("Mount", "Type", "s")
RESTARTS = Property("Service", "NRestarts", "u")  # since systemd 235
TASKS_CURRENT = Property("Service", "TasksCurrent", "t")
TASKS_MAX = Property("Service", "TasksMax", "t")
ACCEPTED = Property("Socket", "NAccepted", "u")
CONNECTIONS = Property("Socket", "NConnections", "u")
REFUSED = Property("Socket", "NRefused", "u")  # since systemd 239
LAST_TRIGGER = Property("Timer", "LastTriggerUSec", "t")
STARTED = Property("Unit", "ActiveEnterTimestamp", "t")

# "252.39-1~deb12u2", "257.8", "v258~rc1-1": upstream's pattern.
_VERSION = re.compile(r"[0-9]{3,}(\.[0-9]+)?")
# Where it is older, a timer's last trigger and the system's state are not asked for.
OLDEST_VERSION_WITH_STATE = 212


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which properties the flags and the version of systemd call for."""

    restarts: bool = False
    tasks: bool = False
    start_times: bool = False
    timers: bool = True

    def of(self, unit: Unit) -> Sequence[Property]:
        """Return the properties to ask for of *unit*."""
        properties: list[Property] = []
        match unit.name.rpartition(".")[2]:
            case "service":
                properties.append(SERVICE_TYPE)
                properties.extend([RESTARTS] * self.restarts)
                properties.extend([TASKS_CURRENT, TASKS_MAX] * self.tasks)
            case "mount":
                properties.append(MOUNT_TYPE)
            case "socket":
                properties.extend((ACCEPTED, CONNECTIONS, REFUSED))
            case "timer" if self.timers:
                properties.append(LAST_TRIGGER)
        if self.start_times and unit.active_state == "active":
            properties.append(STARTED)
        return properties


def parse_version(text: str) -> tuple[float, str]:
    """Return the number in systemd's version and the whole of it.

    (0, "") where there is none, as in the version of a git snapshot.
    """
    found = _VERSION.search(text)
    return (float(found[0]), text) if found else (0.0, "")


def parse_units(arguments: tuple[Any, ...]) -> list[Unit]:
    """Return the units in the answer to ``ListUnits``. Raises ValueError."""
    match arguments:
        case ([*rows],):
            return [_parse_unit(row) for row in rows]
    raise ValueError(f"ListUnits: expected an array, got {arguments!r:.80}")


def _parse_unit(row: Any) -> Unit:
    match row:
        case (str(name), _, str(load), str(active), _, _, str(path), _, _, _):
            return Unit(name, load, active, path)
    raise ValueError(f"ListUnits: expected (ssssssouso), got {row!r:.80}")


def summarize(units: Iterable[Unit], states: Sequence[str]) -> dict[str, int]:
    """Return how many units are in each of *states*, and in any other there is."""
    totals = dict.fromkeys(states, 0)
    for unit in units:
        totals[unit.active_state] = totals.get(unit.active_state, 0) + 1
    return totals
