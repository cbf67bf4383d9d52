"""The dashboards' queries where nothing else runs: promtool, the store, a real Loki.

Lines as nginx, PHP and MySQL write them when things go wrong, which they do not in the
end-to-end test: every LogQL expression has to find something in them.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from deploy.dashboards import uids
from tests.e2e.dashboards import ask, at_first, boards, fill as filled, questions
from tests.store.test_contract import Server, command, free_port, started


pytestmark = [pytest.mark.oracle, pytest.mark.timeout(180)]

BOARDS = boards()
EVERYTHING = [question for board in BOARDS.values() for question in questions(board)]
SECOND = 10**9
LINES = {
    "nginx": (
        "stdout",
        [
            json.dumps(
                {
                    "time_iso8601": "2026-01-01T00:00:00+00:00",
                    "remote_addr": f"192.0.2.{status % 7}",
                    "request_method": method,
                    "uri": uri,
                    "status": status,
                    "body_bytes_sent": 1000,
                    "request_time": 0.25,
                    "http_user_agent": "curl/8",
                }
            )
            for status, method, uri in (
                (200, "GET", "/"),
                (404, "GET", "/nothing"),
                (500, "GET", "/broken"),
                (200, "POST", "/wp-login.php"),
            )
        ],
    ),
    "nginx ": (
        "stderr",
        ["2026/01/01 00:00:00 [error] 7#7: *1 connect() failed (111: refused)"],
    ),
    "wordpress": (
        "stderr",
        [
            "NOTICE: PHP message: PHP Fatal error:  Uncaught Error in /a.php:1",
            "PHP Warning:  Undefined variable $x in /a.php on line 2",
            "PHP Notice:  Trying to access array offset in /a.php on line 3",
            "WordPress database error Table 'wp_x' doesn't exist for query SELECT 1",
        ],
    ),
    "mysql": (
        "stderr",
        [
            "2026-01-01 0:00:00 0 [ERROR] Aborting",
            "2026-01-01T00:00:00Z 0 [Warning] [MY-010055] Aborted connection 8",
            "2026-01-01 0:00:00 0 [Note] ready for connections.",
        ],
    ),
}


class Place(NamedTuple):
    """A log store with all the lines, and whether it knows the whole of LogQL."""

    server: Server
    whole: bool


@pytest.fixture(scope="module", params=["store", "loki"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder, port = tmp_path_factory.mktemp("dashboards"), free_port()
    with started(command(request.param, folder, port), folder, port) as server:
        push(server)
        yield Place(server, whole=request.param == "loki")


def an_hour_ago() -> int:
    return time.time_ns() - 3600 * SECOND


def push(server: Server) -> None:
    """Push all lines, a second apart, as the shipper labels them."""
    now = time.time_ns() - 60 * SECOND
    for job, (stream, lines) in LINES.items():
        labels = {
            "container_name": f"stack-{job.strip()}",
            "compose_project": "stack",
            "host": "here",
            "job": job.strip(),
            "stream": stream,
        }
        rows = [[str(now + number * SECOND), line] for number, line in enumerate(lines)]
        assert server.push_json(labels, *rows) == (204, "")


@pytest.mark.parametrize("uid", BOARDS)
def test_every_question_finds_what_it_is_about(place: Place, uid: str) -> None:
    """Or the store says that it has not learnt this part of LogQL."""
    for question in questions(BOARDS[uid]):
        if question.language == "loki":
            status, answer = ask(place.server, question, an_hour_ago())
            if status == 400 and not place.whole:
                assert "not supported here, only by Loki" in answer, question.name
                continue
            assert status == 200, f"{question.name}: {answer}"
            assert answer["data"]["result"], f"{question.name}: {question.text}"


LEVELS = {
    "all": 12,
    "error": 5,
    "warning": 3,
    "error or warning": 8,
    "info": 3,
    "debug": 0,
}


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_chooses_the_lines_that_say_so(place: Place, level: str) -> None:
    assert len(found(place.server, level=option(level))) == LEVELS[level]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("Table 'wp_x' doesn't", 1),
        ('"uri": "/broken"', 1),
        ("$x in", 1),
        ("connect() failed (111:", 1),
        ("nobody ever wrote this", 0),
    ],
)
def test_a_text_is_searched_letter_by_letter(
    place: Place, search: str, expected: int
) -> None:
    assert len(found(place.server, search=search)) == expected


def found(server: Server, **chosen: str) -> list[str]:
    """Return the lines that the explorer shows."""
    (question,) = (
        q for q in questions(BOARDS[uids.LOGS], **chosen) if q.panel == "Log lines"
    )
    status, answer = ask(server, question, an_hour_ago())
    assert status == 200, answer
    return [row[1] for s in answer["data"]["result"] for row in s["values"]]


def option(text: str) -> str:
    """Return what the level *text* stands for."""
    (levels,) = (
        variable
        for variable in BOARDS[uids.LOGS]["templating"]["list"]
        if variable["name"] == "level"
    )
    (value,) = (o["value"] for o in levels["options"] if o["text"] == text)
    return str(value)


def choices() -> list[tuple[str, str, str]]:
    """Return (dashboard, label, selector) of each variable that asks Loki."""
    return [
        (uid, variable["query"]["label"], variable["query"]["stream"])
        for uid, board in BOARDS.items()
        for variable in board["templating"]["list"]
        if variable["type"] == "query" and variable["datasource"]["type"] == "loki"
    ]


@pytest.mark.parametrize(("uid", "label", "stream"), choices())
def test_a_variable_finds_its_values(
    place: Place, uid: str, label: str, stream: str
) -> None:
    more = {"query": filled(stream, at_first(BOARDS[uid]))} if stream else {}
    now = time.time_ns()
    status, answer = place.server.get(
        f"label/{label}/values", start=now - 3600 * SECOND, end=now, **more
    )
    assert status == 200, answer
    assert answer["data"]


def test_promtool_understands_every_expression(promtool: str, tmp_path: Path) -> None:
    rules = [
        {"record": f"question:{number}", "expr": question.text}
        for number, question in enumerate(EVERYTHING)
        if question.language == "prometheus"
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=none", path],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_the_state_of_the_node_exporter_is_of_no_other_target(
    promtool: str, tmp_path: Path
) -> None:
    """Where all jobs are chosen, as at first, everything else is a target as well."""
    (question,) = (
        q for q in questions(BOARDS[uids.HOST]) if q.panel == "Node exporter"
    )
    node = '{job="node",instance="a:9100"}'
    series = {
        f"up{node}": "1x20 0x20",
        f"node_uname_info{node}": "1x20 stale",
        'up{job="loki",instance="loki:3100"}': "0x20 1x20",
    }
    case = {
        "interval": "15s",
        "input_series": [{"series": s, "values": v} for s, v in series.items()],
        "promql_expr_test": [
            {
                "expr": question.text,
                "eval_time": moment,
                "exp_samples": [{"labels": "{}", "value": value}],
            }
            for moment, value in (("4m", 1), ("9m", 0))
        ],
    }
    path = tmp_path / "case.yml"
    path.write_text(yaml.safe_dump({"tests": [case]}))
    done = subprocess.run(
        [promtool, "test", "rules", path], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
