"""Ask systemd-logind for its seats and sessions (collector/logind_linux.go).

Two round trips: the two lists, then everything about all sessions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from exporters.node.errno_text import error_text
from exporters.node.services import dbus
from exporters.node.services.dbus_messages import (
    Answer,
    DBusError,
    Reply,
    Service,
    arguments,
    value,
)
from exporters.node.services.logind_sessions import (
    Session,
    parse_seats,
    parse_sessions,
    session,
)


_SERVICE = Service("org.freedesktop.login1", "/org/freedesktop/login1")
_PROPERTIES = (("Remote", "b"), ("Type", "s"), ("Class", "s"))


def ask() -> tuple[list[str], Counter[Session]]:
    """Return the seats and how many sessions there are of each kind.

    Raises OSError and ValueError.
    """
    with _connected() as connection:
        calls = [_SERVICE.call("ListSeats"), _SERVICE.call("ListSessions")]
        seats, sessions = connection.call(calls)
        known_seats = parse_seats(_required(seats, "seats"))
        found = parse_sessions(_required(sessions, "sessions"))
        return known_seats, Counter(_sessions(connection, found))


@contextmanager
def _connected() -> Iterator[dbus.Connection]:
    with ExitStack() as stack:
        try:
            bus = dbus.connect(dbus.system_bus(), dbus.deadline())
            connection = stack.enter_context(bus)
        except OSError as error:
            reason = f"unable to connect to dbus: {error_text(error)}"
            raise type(error)(reason) from error
        except ValueError as error:
            raise ValueError(f"unable to connect to dbus: {error}") from error
        yield connection


def _required(reply: Reply, what: str) -> Answer:
    try:
        return arguments(reply)
    except DBusError as error:
        raise ValueError(f"unable to get {what}: {error}") from error


def _sessions(
    connection: dbus.Connection, found: Iterable[tuple[str, str]]
) -> Iterator[Session]:
    """Yield the sessions; one that has ended meanwhile is left out, as upstream."""
    sessions = list(found)
    replies = connection.call(
        _SERVICE.get(path, "Session", name)
        for _, path in sessions
        for name, _ in _PROPERTIES
    )
    for seat, _ in sessions:
        told = [(next(replies), signature) for _, signature in _PROPERTIES]
        try:
            remote, type_, class_ = (value(*pair) for pair in told)
        except ValueError:
            continue
        yield session(seat, remote, type_, class_)
