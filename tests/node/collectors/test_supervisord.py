from __future__ import annotations

import contextlib
import xmlrpc.client
from typing import Any

import pytest
from hypothesis import given, strategies as st

from exporters.node import deadline
from exporters.node.calls import run as run_once
from exporters.node.collectors import supervisord
from exporters.node.paths import Paths
from exporters.node.registry import Collect, Context
from exporters.node.services import xmlrpc as calling
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Program


def process(name: str, state: int, start: int, exit_status: int = 0) -> dict[str, Any]:
    """What supervisord 4.2 says of a process."""
    return {
        "name": name,
        "group": name.partition("_")[0],
        "start": start,
        "stop": 0,
        "now": 1_732_616_000,
        "state": state,
        "statename": "whatever",
        "spawnerr": "",
        "exitstatus": exit_status,
        "logfile": "/var/log/out",
        "stdout_logfile": "/var/log/out",
        "stderr_logfile": "",
        "pid": 4711,
        "description": "pid 4711, uptime 0:00:42",
    }


PROCESSES = [
    process("worker_00", 20, 1_732_615_958),
    process("worker_01", 10, 1_732_615_999),
    process("cron", 40, 1_732_600_000),
    process("mail", 30, 1_732_615_990, exit_status=1),
    process("once", 100, 1_732_615_000, exit_status=3),
    process("broken", 200, 0),
]


def collector(*argv: str, **environ: str) -> Collect:
    spec = supervisord.COLLECTOR
    program = Program("node_exporter", "", (spec.switch, *spec.flags))
    return spec.create(Context(Paths(), program.parse(argv, environ)))


class Answer:
    """Stands for the call; keeps whom it asked, and how long it would have waited."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.urls: list[str] = []
        self.timeouts: list[float] = []

    def __call__(self, url: str, method: str, timeout_seconds: float) -> object:
        assert method == "supervisor.getAllProcessInfo"
        self.urls.append(url)
        self.timeouts.append(timeout_seconds)
        if isinstance(self._answer, Exception):
            raise self._answer
        data = xmlrpc.client.dumps((self._answer,), methodresponse=True)
        return calling.parse(data.encode())


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    found = Answer(PROCESSES)
    monkeypatch.setattr(calling, "call", found)
    return found


def test_what_is_said(answer: Answer) -> None:
    assert (
        encode(collector()(), pytest.fail).decode()
        == """\
# HELP node_supervisord_exit_status Process Exit Status
# TYPE node_supervisord_exit_status gauge
node_supervisord_exit_status{group="broken",name="broken"} 0
node_supervisord_exit_status{group="cron",name="cron"} 0
node_supervisord_exit_status{group="mail",name="mail"} 1
node_supervisord_exit_status{group="once",name="once"} 3
node_supervisord_exit_status{group="worker",name="worker_00"} 0
node_supervisord_exit_status{group="worker",name="worker_01"} 0
# HELP node_supervisord_start_time_seconds Process start time
# TYPE node_supervisord_start_time_seconds counter
node_supervisord_start_time_seconds{group="cron",name="cron"} 1.7326e+09
node_supervisord_start_time_seconds{group="worker",name="worker_00"} 1.732615958e+09
node_supervisord_start_time_seconds{group="worker",name="worker_01"} 1.732615999e+09
# HELP node_supervisord_state Process State
# TYPE node_supervisord_state gauge
node_supervisord_state{group="broken",name="broken"} 200
node_supervisord_state{group="cron",name="cron"} 40
node_supervisord_state{group="mail",name="mail"} 30
node_supervisord_state{group="once",name="once"} 100
node_supervisord_state{group="worker",name="worker_00"} 20
node_supervisord_state{group="worker",name="worker_01"} 10
# HELP node_supervisord_up Process Up
# TYPE node_supervisord_up gauge
node_supervisord_up{group="broken",name="broken"} 0
node_supervisord_up{group="cron",name="cron"} 1
node_supervisord_up{group="mail",name="mail"} 0
node_supervisord_up{group="once",name="once"} 0
node_supervisord_up{group="worker",name="worker_00"} 1
node_supervisord_up{group="worker",name="worker_01"} 1
"""
    )


def test_whom_to_ask(answer: Answer) -> None:
    list(collector()())
    list(collector(SUPERVISORD_URL="unix:///run/supervisor.sock")())
    flag = "--collector.supervisord.url=http://h/RPC2"
    list(collector(flag, SUPERVISORD_URL="unix:///run/supervisor.sock")())
    assert answer.urls == [
        "http://localhost:9001/RPC2",
        "unix:///run/supervisor.sock",
        "http://h/RPC2",
    ]


def test_it_waits_no_longer_than_the_scrape(answer: Answer) -> None:
    list(collector()())
    with deadline.within(5):
        list(collector()())
    assert answer.timeouts[0] == 10
    assert 4 < answer.timeouts[1] < 5


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (TimeoutError("timed out"), "timed out"),
        (ValueError("HTTP status 401 Unauthorized"), "HTTP status 401 Unauthorized"),
    ],
)
def test_a_failure_is_of_its_kind_and_says_why(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, reason: str
) -> None:
    monkeypatch.setattr(calling, "call", Answer(problem))
    outcome = run_once(collector())
    assert type(outcome.error) is type(problem)
    assert str(outcome.error) == f"unable to call supervisord: {reason}"


@pytest.mark.parametrize(
    "wrong", [{}, {"name": 5}, {"state": "RUNNING"}, {"start": 10**400}]
)
def test_what_is_no_process_is_refused(wrong: dict[str, Any]) -> None:
    row = {**process("a", 20, 5), **wrong} if wrong else {}
    with pytest.raises(ValueError, match="expected a process"):
        supervisord.parse([row])


values = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text() | st.just(PROCESSES[0]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values)
def test_another_answer_raises_only_value_error(answer: Any) -> None:
    with contextlib.suppress(ValueError):
        supervisord.parse(answer)
