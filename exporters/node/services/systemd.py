"""Ask systemd about itself and its units (go-systemd ``dbus``).

Properties are asked for one by one, but many to a round trip: ``GetAll`` would make
PID 1 work out some 300 of them for each service.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from exporters.node.errno_text import error_text
from exporters.node.services import dbus
from exporters.node.services.dbus_messages import Reply, Service, arguments, value
from exporters.node.services.systemd_units import (
    OLDEST_VERSION_WITH_STATE,
    Known,
    Property,
    Unit,
    Wishes,
    parse_units,
    parse_version,
)


log = logging.getLogger(__name__)

_SERVICE = Service("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
_PRIVATE_SOCKET = "/run/systemd/private"


class Manager(NamedTuple):
    """What systemd says of itself; what it would not tell raises when it is asked for.

    *version* is 0 where it is not known.
    """

    version: float
    version_text: str
    virtualization: str
    state_reply: Reply
    units_reply: Reply

    @property
    def identity(self) -> tuple[float, str, str]:
        """Return the version, as a number and as a text, and the virtualization."""
        return self.version, self.version_text, self.virtualization

    def is_running(self) -> bool | None:
        """Return whether the system is up; None: too old to say. Raises ValueError."""
        if self.version < OLDEST_VERSION_WITH_STATE:
            return None
        try:
            return bool(value(self.state_reply, "s") == "running")
        except ValueError as error:
            raise ValueError(f"couldn't get system state: {error}") from error

    def units(self) -> list[Unit]:
        """Return all units. Raises ValueError."""
        try:
            return parse_units(arguments(self.units_reply))
        except ValueError as error:
            raise ValueError(f"couldn't get units: {error}") from error


@contextmanager
def connect(*, private: bool) -> Iterator[dbus.Connection]:
    """Yield a connection to systemd: over the system bus, else, for root, directly.

    With *private* the bus is not tried. Raises OSError and ValueError.
    """
    with ExitStack() as stack:
        yield _open(stack, dbus.deadline(), private=private)


def _open(stack: ExitStack, until: float, *, private: bool) -> dbus.Connection:
    ways = [not private]
    if not private and os.geteuid() == 0:
        ways.append(False)
    problems: list[OSError | ValueError] = []
    for by_bus in ways:
        try:
            path = dbus.system_bus() if by_bus else _PRIVATE_SOCKET
            return stack.enter_context(dbus.connect(path, until, is_bus=by_bus))
        except (OSError, ValueError) as error:
            problems.append(error)
    reason = f"couldn't get dbus connection: {'; '.join(map(_reason, problems))}"
    first = problems[0]
    raise (type(first) if isinstance(first, OSError) else ValueError)(reason) from first


def _reason(error: OSError | ValueError) -> str:
    return error_text(error) if isinstance(error, OSError) else str(error)


def ask_manager(connection: dbus.Connection) -> Manager:
    """Return what systemd says of itself, in one round trip. Raises OSError."""
    path, asked = _SERVICE.path, ("Version", "Virtualization", "SystemState")
    properties = [_SERVICE.get(path, "Manager", name) for name in asked]
    calls = (*properties, _SERVICE.call("ListUnits"))
    version, virtualization, state, units = connection.call(calls)
    number, text = parse_version(_text(version) or "")
    kind = _text(virtualization)
    # Not told is not the same as told that there is none.
    shown = "unknown" if kind is None else kind.strip('"') or "none"
    return Manager(number, text, shown, state, units)


def ask_units(
    connection: dbus.Connection, units: Iterable[Unit], wishes: Wishes
) -> Iterator[tuple[Unit, Known]]:
    """Yield each of *units* with those of the properties wished for that it has.

    A unit that is gone by now has none. Raises OSError and ValueError.
    """
    plan = [(unit, wishes.of(unit)) for unit in units]
    replies = connection.call(
        _SERVICE.get(unit.path, wanted.interface, wanted.name)
        for unit, properties in plan
        for wanted in properties
    )
    for unit, properties in plan:
        yield unit, dict(_known(unit, zip(properties, replies, strict=False)))


def _known(
    unit: Unit, replies: Iterable[tuple[Property, Reply]]
) -> Iterator[tuple[Property, Any]]:
    for wanted, reply in replies:
        try:
            yield wanted, value(reply, wanted.signature)
        except ValueError as error:
            fields = {"unit": unit.name, "err": error}
            log.debug("couldn't get unit %s", wanted.name, extra={"fields": fields})


def _text(reply: Reply) -> str | None:
    try:
        found: str = value(reply, "s")
    except ValueError:
        return None
    return found
