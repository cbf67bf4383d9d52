from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, strategies as st

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
    Property,
    Unit,
    Wishes,
    parse_units,
    parse_version,
    summarize,
)


def row(name: str, active: str = "active", load: str = "loaded") -> tuple[Any, ...]:
    return (name, "About it", load, active, "sub", "", f"/u/{name}", 0, "", "/")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("252.39-1~deb12u2", 252.39),
        ("257.8", 257.8),
        ("v258~rc1-1", 258),
        ("219", 219),
        ("systemd 204", 204),
    ],
)
def test_the_version_is_a_number_and_a_text(text: str, version: float) -> None:
    assert parse_version(text) == (version, text)


@pytest.mark.parametrize("text", ["", "44", "unknown"])
def test_what_is_no_version_is_none(text: str) -> None:
    assert parse_version(text) == (0, "")


def test_units_are_read_from_the_answer() -> None:
    assert parse_units(([row("a.service"), row("b.timer", "failed", "masked")],)) == [
        Unit("a.service", "loaded", "active", "/u/a.service"),
        Unit("b.timer", "masked", "failed", "/u/b.timer"),
    ]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(row("a.service")),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.tuples(inner),
)


@given(values)
def test_another_answer_raises_only_value_error(answer: Any) -> None:
    with contextlib.suppress(ValueError):
        parse_units(answer)


def test_states_nobody_knows_yet_are_counted_too() -> None:
    units = parse_units(
        ([row("a.service"), row("b.service", "reloading"), row("c.socket")],)
    )
    assert summarize(units, ("active", "failed")) == {
        "active": 2,
        "failed": 0,
        "reloading": 1,
    }


EVERYTHING = Wishes(restarts=True, tasks=True, start_times=True)
NOTHING_MORE = Wishes(timers=False)


@pytest.mark.parametrize(
    ("name", "active", "wishes", "properties"),
    [
        ("a.service", "failed", NOTHING_MORE, [SERVICE_TYPE]),
        (
            "a.service",
            "active",
            EVERYTHING,
            [SERVICE_TYPE, RESTARTS, TASKS_CURRENT, TASKS_MAX, STARTED],
        ),
        ("a.mount", "failed", EVERYTHING, [MOUNT_TYPE]),
        ("a.socket", "failed", EVERYTHING, [ACCEPTED, CONNECTIONS, REFUSED]),
        ("a.timer", "failed", EVERYTHING, [LAST_TRIGGER]),
        ("a.timer", "failed", NOTHING_MORE, []),
        ("a.target", "active", EVERYTHING, [STARTED]),
        ("a.target", "active", NOTHING_MORE, []),
    ],
)
def test_a_unit_is_asked_for_what_its_kind_has(
    name: str, active: str, wishes: Wishes, properties: list[Property]
) -> None:
    assert wishes.of(Unit(name, "loaded", active, "/")) == properties
