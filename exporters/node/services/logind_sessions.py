"""What systemd-logind knows of seats and sessions (org.freedesktop.login1(5)); pure."""

from __future__ import annotations

from typing import Any, NamedTuple


class Session(NamedTuple):
    """A kind of session; the fields are the labels."""

    seat: str
    remote: str
    type: str
    class_: str


REMOTES = ("true", "false")
OTHER = "other"
# What logind of systemd 229 has, which is what upstream lists; newer kinds are "other".
TYPES = (OTHER, "unspecified", "tty", "x11", "wayland", "mir", "web")
CLASSES = (OTHER, "user", "greeter", "lock-screen", "background")


def parse_seats(arguments: tuple[Any, ...]) -> list[str]:
    """Return the names of the seats that ``ListSeats`` gave, and "" for no seat.

    A session by ssh has none. Raises ValueError.
    """
    match arguments:
        case ([*rows],):
            return [*map(_parse_seat, rows), ""]
    raise ValueError(f"ListSeats: expected an array, got {arguments!r:.80}")


def _parse_seat(row: Any) -> str:
    match row:
        case (str(name), str()):
            return name
    raise ValueError(f"ListSeats: expected (so), got {row!r:.80}")


def parse_sessions(arguments: tuple[Any, ...]) -> list[tuple[str, str]]:
    """Return (seat, object path) of what ``ListSessions`` gave. Raises ValueError."""
    match arguments:
        case ([*rows],):
            return [_parse_session(row) for row in rows]
    raise ValueError(f"ListSessions: expected an array, got {arguments!r:.80}")


def _parse_session(row: Any) -> tuple[str, str]:
    match row:
        case (str(), int(), str(), str(seat), str(path)):
            return seat, path
    raise ValueError(f"ListSessions: expected (susso), got {row!r:.80}")


def session(seat: str, remote: bool, type_: str, class_: str) -> Session:
    """Return the kind of session that these properties make."""
    return Session(
        seat,
        "true" if remote else "false",
        type_ if type_ in TYPES else OTHER,
        class_ if class_ in CLASSES else OTHER,
    )
