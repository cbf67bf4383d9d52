from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from exporters.node.calls import run as run_once
from exporters.node.collectors import logind
from exporters.node.paths import Paths
from exporters.node.registry import Collect, Context
from exporters.node.services.logind_sessions import parse_seats, parse_sessions
from exporters.toolkit.flags import Values
from tests.node.services.dbus_peer import Handle, Peer, Replies, answering, listening


MANAGER = "/org/freedesktop/login1"


def session_path(number: int) -> str:
    return f"{MANAGER}/session/_3{number}"


def session(number: int, remote: bool, kind: str, class_: str) -> Replies:
    path = session_path(number)
    return {
        (path, "Session.Remote"): ("b", (remote,)),
        (path, "Session.Type"): ("s", (kind,)),
        (path, "Session.Class"): ("s", (class_,)),
    }


SESSIONS = [
    ("1", 1000, "anna", "seat0", session_path(1)),
    ("2", 1001, "ben", "", session_path(2)),
    ("3", 1001, "ben", "", session_path(3)),
    ("4", 1002, "chris", "", session_path(4)),
    ("5", 1003, "gone", "", session_path(5)),
]

REPLIES: Replies = {
    (MANAGER, "ListSeats"): ("a(so)", ([("seat0", f"{MANAGER}/seat/seat0")],)),
    (MANAGER, "ListSessions"): ("a(susso)", (SESSIONS,)),
    **session(1, False, "wayland", "user"),
    **session(2, True, "tty", "user"),
    **session(3, True, "tty", "user"),
    **session(4, False, "unspecified", "manager"),  # a class since systemd 256
}

Start = Callable[[Handle | None], Peer]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a system bus with a logind on it."""
    bus = tmp_path / "bus"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={bus}")
    with contextlib.ExitStack() as stack:
        yield lambda handle: stack.enter_context(listening(bus, handle))


def collector() -> Collect:
    return logind.COLLECTOR.create(Context(Paths(), Values({}, frozenset())))


def test_every_kind_of_session_is_counted(start: Start) -> None:
    start(answering(REPLIES))
    (family,) = collector()()
    assert family.name == "node_logind_sessions"
    # seat0 and none; remote or not; 7 types; 5 classes
    assert len(family.samples) == 2 * 2 * 7 * 5
    assert {
        tuple(sample.labels.values()): sample.value
        for sample in family.samples
        if sample.value
    } == {
        ("seat0", "false", "wayland", "user"): 1,
        ("", "true", "tty", "user"): 2,
        ("", "false", "unspecified", "other"): 1,
    }


def test_two_rounds_are_enough(start: Start) -> None:
    peer = start(answering(REPLIES))
    list(collector()())
    properties = ["Get Remote", "Get Type", "Get Class"]
    assert peer.names() == ["Hello", "ListSeats", "ListSessions", *properties * 5]


@pytest.mark.parametrize("missing", ["ListSeats", "ListSessions"])
def test_a_list_that_cannot_be_had_is_an_error(start: Start, missing: str) -> None:
    start(answering({key: REPLIES[key] for key in REPLIES if key[1] != missing}))
    outcome = run_once(collector())
    what = missing.removeprefix("List").lower()
    assert str(outcome.error).startswith(f"unable to get {what}: Unknown object")


def test_no_bus_is_an_error_that_names_it(start: Start, tmp_path: Path) -> None:
    outcome = run_once(collector())
    assert str(outcome.error) == (
        f"unable to connect to dbus: dial unix {tmp_path}/bus: connect:"
        " no such file or directory"
    )


def test_a_bus_that_hangs_costs_this_collector_only_until_the_deadline(
    start: Start,
) -> None:
    start(None)
    outcome = run_once(collector(), patience_seconds=1)
    assert isinstance(outcome.error, TimeoutError)
    assert outcome.seconds < 1


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(SESSIONS[0]),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.tuples(inner),
)


@pytest.mark.parametrize("parse", [parse_seats, parse_sessions])
@given(answer=values)
def test_another_answer_raises_only_value_error(
    parse: Callable[[Any], object], answer: Any
) -> None:
    with contextlib.suppress(ValueError):
        parse(answer)
