"""Every expression of the dashboards is asked for real and has an answer.

What has none for a good reason stands in one of the lists here, with the reason, and a
test fails when an entry is of no use any more. PromQL is asked of the Prometheus of the
stack; LogQL of its store and, where ``LOKI=`` names one, of a real Loki that was given
the same lines.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.dashboards import Question, ask, boards, questions
from tests.e2e.stack import PREFIX, Stack, wait_until
from tests.store.test_contract import Server, command, free_port, started


pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(1500)]

BOARDS = boards()
ASKED = {
    question.name: question
    for board in BOARDS.values()
    for question in questions(board)
}

NOTHING_WRONG = "there are no such lines while nothing is wrong"
NO_SERIES = "the counter has no series before the first time"
MAY_BE_EMPTY: Mapping[str, str] = {
    **{f"{uid} / annotation / Alerts": "an alert need not fire" for uid in BOARDS},
    **{f"{uid} / annotation / Restarts": "nothing need restart" for uid in BOARDS},
    **{
        f"{uid} / annotation / Service restarts": "nothing need restart"
        for uid in BOARDS
    },
    "stack-monitoring / Lines that were not stored / {{reason}} refused": NO_SERIES,
    "stack-monitoring / Lines that were not stored / {{reason}} limited": NO_SERIES,
    "stack-monitoring / Refused by the store / {{reason}}": NO_SERIES,
    **{
        f"stack-wordpress / Complaints of PHP and WordPress / {kind}": NOTHING_WRONG
        for kind in ("fatal", "warning", "notice", "database")
    },
    "stack-wordpress / Complaints": NOTHING_WRONG,
    "stack-wordpress / Errors and warnings / {{container_name}} error": NOTHING_WRONG,
    "stack-nginx / Failing paths / {{uri}}": "no answer need be 5xx",
    "stack-nginx / Errors": NOTHING_WRONG,
    "stack-overview / Errors in the logs / {{job}}": NOTHING_WRONG,
    "stack-overview / Newest errors": NOTHING_WRONG,
    "stack-php-fpm / Errors": NOTHING_WRONG,
    "stack-logs / Errors and warnings / error": NOTHING_WRONG,
}
# The rest of the store's page is Loki's too.
ONLY_OUR_STORE: Mapping[str, str] = {
    "stack-monitoring / Size on the disk / {{instance}}": "Loki does not say",
    "stack-monitoring / Refused by the store / disk": "Loki does not say",
}
NOT_IN_THE_STORE: Mapping[str, str] = {}
LISTS = {**MAY_BE_EMPTY, **ONLY_OUR_STORE, **NOT_IN_THE_STORE}


def of(uid: str, language: str) -> list[Question]:
    """Return the questions of one dashboard in one language."""
    return [q for q in ASKED.values() if (q.board, q.language) == (uid, language)]


def test_the_names_of_questions_are_unique() -> None:
    assert len(ASKED) == sum(len(questions(board)) for board in BOARDS.values())


def test_the_lists_of_empty_answers_hold_nothing_stale() -> None:
    assert LISTS.keys() - ASKED.keys() == set()
    assert not MAY_BE_EMPTY.keys() & ONLY_OUR_STORE.keys()


def visit(stack: Stack) -> None:
    """Make nginx, php-fpm and MySQL do something that they log."""
    login = urllib.parse.urlencode({"log": "nobody", "pwd": "nothing"}).encode()
    for path, body in (
        ("/", None),
        ("/wp-includes/css/dashicons.min.css", None),
        ("/there-is-no-such-page.css", None),
        ("/wp-login.php", login),
    ):
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(stack.url("NGINX_PORT", path), body, 30).close()


def unanswered(stack: Stack, asked: list[Question]) -> list[str]:
    """Return the names of those of *asked* to which Prometheus has no answer."""
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(stack.prometheus, [question.text for question in asked])
        pairs = zip(asked, answers, strict=True)
        return [question.name for question, rows in pairs if not named(question, rows)]


def named(question: Question, rows: list[dict[str, Any]]) -> bool:
    """Say whether there are *rows* with all the labels that the legend wants."""
    wanted = set(re.findall(r"\{\{(\w+)\}\}", question.legend))
    return any(wanted <= row.get("metric", {}).keys() for row in rows)


@pytest.fixture(scope="module")
def with_our_store(stack: Stack) -> bool:
    _, text = Server(stack.ports["LOKI_PORT"]).ask("/metrics")
    return "log_store_build_info" in text


@pytest.mark.parametrize("uid", BOARDS)
def test_prometheus_has_data(stack: Stack, uid: str, with_our_store: bool) -> None:
    empty = MAY_BE_EMPTY if with_our_store else {**MAY_BE_EMPTY, **ONLY_OUR_STORE}
    left = of(uid, "prometheus")
    unanswered(stack, left)  # Prometheus understands all of them

    def done() -> bool:
        visit(stack)
        missing = set(unanswered(stack, left)) - empty.keys()
        left[:] = [question for question in left if question.name in missing]
        return not left

    try:
        wait_until(done, "every panel has data")
    except AssertionError:
        pytest.fail("\n".join(f"{q.name}: {q.text}" for q in left))


@pytest.mark.parametrize("uid", BOARDS)
def test_the_store_has_data(stack: Stack, uid: str, with_our_store: bool) -> None:
    server = Server(stack.ports["LOKI_PORT"])
    start = an_hour_ago()
    visit(stack)
    for question in of(uid, "loki"):
        answer = partial(ask, server, question, start)
        if with_our_store and question.name in NOT_IN_THE_STORE:
            status, text = answer()
            assert status == 400, (
                f"{question.name}: the store can, take it off the list"
            )
            assert "not supported here, only by Loki" in text
        elif question.name in MAY_BE_EMPTY:
            assert answer()[0] == 200, answer()
        else:
            found = partial(answered, question, answer)
            wait_until(found, f"{question.name}: {question.text}")


def answered(question: Question, answer: partial[tuple[int, Any]]) -> bool:
    """Say whether there is an answer; one that is a refusal fails."""
    status, body = answer()
    assert status == 200, body
    return named(question, body["data"]["result"])


@pytest.fixture(scope="module")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real Loki, empty."""
    if not os.environ.get("LOKI"):
        pytest.skip("LOKI= names no Loki to compare with")
    folder: Path = tmp_path_factory.mktemp("loki")
    port = free_port()
    with started(command("loki", folder, port), folder, port) as server:
        yield server


def test_the_real_loki_answers_as_the_store_does(stack: Stack, loki: Server) -> None:
    visit(stack)
    store, start = Server(stack.ports["LOKI_PORT"]), an_hour_ago()
    wait_until(lambda: nginx_project(store, start) != "", "the store has nginx's lines")
    project = nginx_project(store, start)
    copy(store, loki, project, start)
    for board in BOARDS.values():
        for question in questions(board, project=project):
            if question.language == "loki":
                compare(store, loki, question, start)


def compare(store: Server, loki: Server, question: Question, start: int) -> None:
    """Assert that Loki has data, and so has the store if it understands."""
    status, real = ask(loki, question, start)
    assert status == 200, f"{question.name}: {real}"
    if question.name not in MAY_BE_EMPTY:
        assert real["data"]["result"], f"{question.name}: {question.text}"
    if question.name not in NOT_IN_THE_STORE:
        status, ours = ask(store, question, start)
        assert status == 200, f"{question.name}: {ours}"
        assert ours["data"]["resultType"] == real["data"]["resultType"], question.name
        if question.name not in MAY_BE_EMPTY:
            assert ours["data"]["result"], question.name


def nginx_project(store: Server, start: int) -> str:
    """Return the Compose project of the stack, once nginx's lines are stored."""
    streams = newest(store, f'container_name="{PREFIX}nginx"', start)
    return str(streams[0]["stream"]["compose_project"]) if streams else ""


def copy(store: Server, loki: Server, project: str, start: int) -> None:
    """Give *loki* the newest lines of each service of *project*."""
    for service in ("nginx", "wordpress", "mysql", "promtail", "prometheus"):
        chosen = f'compose_project="{project}",job="{service}"'
        for stream in newest(store, chosen, start):
            # Newest first; what follows the line is metadata.
            rows = [[stamp, line] for stamp, line, *_ in reversed(stream["values"])]
            assert loki.push_json(stream["stream"], *rows) == (204, "")


def newest(store: Server, chosen: str, start: int) -> list[dict[str, Any]]:
    """Return the streams of the newest 2000 lines that *chosen* selects."""
    query = f"{{{chosen}}}"
    end = time.time_ns() + 10**9
    status, answer = store.get(
        "query_range", query=query, start=start, end=end, limit=2000
    )
    assert status == 200, answer
    streams: list[dict[str, Any]] = answer["data"]["result"]
    return streams


def an_hour_ago() -> int:
    return time.time_ns() - 3600 * 10**9
