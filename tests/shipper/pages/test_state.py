from __future__ import annotations

from typing import Any

import pytest

from shipper.pages.state import (
    State,
    counts_of,
    discovered,
    hide,
    is_dropped,
    jobs_of,
    state_of,
)
from shipper.source import Target


STREAMS = {"stdout": (("a", "b"),)}


def target(name: str = "n", job: str = "j", **more: Any) -> Target:
    return Target(job=job, kind="docker", name=name, **{"streams": STREAMS, **more})


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, State.OK),
        ({"lag_seconds": 60.0}, State.OK),
        ({"lag_seconds": 61.0}, State.LAGGING),
        ({"lag_seconds": 61.0, "error": "x"}, State.ERROR),
        ({"streams": {}}, State.DROPPED),
        ({"streams": {}, "error": "cannot be listed"}, State.ERROR),
    ],
)
def test_states(more: dict[str, Any], state: State) -> None:
    one = target(**more)
    assert state_of(one) is state
    assert is_dropped(one) is (state is State.DROPPED)


def test_jobs_in_order_and_the_worst_target_first() -> None:
    found = jobs_of(
        [
            target("z", "b"), target("a", "b"), target("m", "b", error="x"),
            target("l", "b", lag_seconds=100.0), target("d", "a", streams={}),
        ]
    )  # fmt: skip
    names = [(job.name, [t.name for t in job.targets]) for job in found]
    assert names == [("a", ["d"]), ("b", ["m", "l", "a", "z"])]
    counts = counts_of(found)
    assert counts == {
        State.ERROR: 1, State.LAGGING: 1, State.OK: 2, State.DROPPED: 1,
    }  # fmt: skip
    assert counts_of([]).total() == 0


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("__meta_docker_container_label_db_password", "x", "<secret>"),
        ("__meta_docker_container_label_API_TOKEN", "x", "<secret>"),
        ("__meta_docker_container_label_traefik_basicauth_users", "x", "<secret>"),
        ("__meta_docker_container_label_db_password", "", ""),
        ("__meta_docker_container_name", "/web", "/web"),
        ("__meta_x", "http://me:pw@host/", "http://me:<secret>@host/"),
    ],
)
def test_what_looks_like_a_secret_is_not_shown(
    name: str, value: str, shown: str
) -> None:
    assert discovered(target(discovered={name: value})) == {name: shown}


def test_urls_keep_what_is_no_login() -> None:
    assert hide("see http://h:3100/a@b and https://u:p@h") == (
        "see http://h:3100/a@b and https://u:<secret>@h"
    )
