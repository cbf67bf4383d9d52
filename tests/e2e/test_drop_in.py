"""Three public kinds of stack: the three image lines change, and all goes on.

Each stack of tests/drop_in is started from its owner's compose file. Where originals
can be had (tests/drop_in/originals.py), it starts with them and is switched by an `up`
with the changed file, as its owner would; a second one keeps them, so that both answer
the same questions about one host at one moment.
"""

from __future__ import annotations

import difflib
import re
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from deploy.stack import images, settings
from tests.drop_in import compare, expressions, originals
from tests.drop_in.pairs import Pair, Side, prepare, remove, start
from tests.drop_in.projects import FOLDER, NAMES, OURS, Project, changed
from tests.e2e.stack import docker, get_json, need_engine, wait_until


pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(900)]

NODE, NGINX, PROMTAIL = OURS
# Jobs of each prometheus.yml that ours and theirs answer.
JOBS = {
    "dockprom": ("nodeexporter", "nginx"),
    "gpnc": ("node-exporter", "nginx-exporter"),
    "wordpress": ("node", "nginx"),
}
# (selector, the names of the labels that every stream of it has)
STREAMS = {
    "dockprom": (
        (
            '{container_name=~".*web.*"}',
            (
                "container_id container_name filename image_id image_name job "
                "service_name stream tag"
            ),
        ),
        ('{job="varlogs"}', "filename job service_name"),
    ),
    "gpnc": (
        (
            '{service="nginx-app",level="info"}',
            "container job level logstream network service service_name",
        ),
        (
            '{service="log-app",level!=""}',
            "container job level logstream network service service_name",
        ),
    ),
    "wordpress": (
        (
            '{job="nginx",method="GET"}',
            "filename host job method service_name status",
        ),
        ('{job="docker"}', "container_id host job service_name stream"),
    ),
}
# (what both have read of both projects, whether its time is the line's own): {ours} and
# {kept} are the projects, {ids} the containers whose output does not go on for ever.
SAME_LINES = {
    "dockprom": (
        ('{{filename=~".*/({ids})/.*"}}', False),
        ('{{job="varlogs"}}', False),
    ),
    "gpnc": (('{{container=~"({ours}|{kept})-(log|nginx)-app-1"}}', True),),
    "wordpress": (
        ('{{job="nginx",method!=""}}', True),
        ('{{job="nginx",method=""}}', False),
        ('{{job="docker",container_id=~"{ids}"}}', True),
    ),
}
WRITERS = {"dockprom": ("web",), "gpnc": (), "wordpress": ("nginx", "wordpress")}
DATA_SECONDS = 60


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Pair]]:
    need_engine()
    folder = tmp_path_factory.mktemp("drop-in")
    source = images.prepare(settings.load(folder / ".env", folder))
    names = {**source.names, "PYTHON_IMAGE": images.PYTHON} if source.offline else {}
    if names and originals.loki():
        names["LOKI_IMAGE"] = originals.make_loki()
    owners = [prepare(folder / name, names) for name in NAMES]
    had, built = originals.make(owners)
    began = time.monotonic()
    try:
        with ThreadPoolExecutor() as threads:
            found = list(threads.map(partial(start, had=had), owners))
        print(f"up in {time.monotonic() - began:.0f} s; originals: {sorted(had)}")
        yield {pair.name: pair for pair in found}
    finally:
        with ThreadPoolExecutor() as threads:
            list(threads.map(remove, owners))
        originals.forget(built)
        print(f"up, asked and gone in {time.monotonic() - began:.0f} s")


@pytest.fixture(params=NAMES)
def pair(request: pytest.FixtureRequest, pairs: dict[str, Pair]) -> Pair:
    return pairs[request.param]


@pytest.mark.parametrize("name", NAMES)
def test_three_image_lines_change_and_nothing_else(name: str) -> None:
    text = (FOLDER / name / "docker-compose.yml").read_text()
    diff = difflib.ndiff(text.splitlines(), changed(text).splitlines())
    lines = [line for line in diff if line[0] in "-+"]
    assert len(lines) == 6
    for kind, repositories in (("-", OURS.keys()), ("+", OURS.values())):
        found = [line for line in lines if line[0] == kind]
        assert len(found) == 3
        for repository in repositories:
            image = rf"\{kind} +image: {re.escape(repository)}(:\S+)?"
            assert any(re.fullmatch(image, line) for line in found)


def test_every_container_runs_well(pair: Pair) -> None:
    pair.ours.wait()  # a busy machine may fail a check or two
    images_of = {c.service: c.image for c in pair.ours.project.containers().values()}
    assert set(OURS.values()) <= set(images_of.values())


def test_the_image_has_promtails_own_configuration(pairs: dict[str, Pair]) -> None:
    """Who mounts no file has `command: -config.file=/etc/promtail/config.yml`."""
    assert pairs
    own = "-config.file=/etc/promtail/config.yml"
    checked = docker("run", "--rm", OURS[PROMTAIL], own, "-check-syntax")
    assert "Valid config file!" in checked


def test_compose_changes_three_containers(pair: Pair) -> None:
    pair.need(NODE, NGINX)
    now = pair.ours.project.containers()
    assert now.keys() == pair.before.keys()
    changed_services = {name for name in now if now[name].id != pair.before[name].id}
    wanted = {pair.ours.project.service(name) for name in pair.theirs.originals}
    # Compose makes anew who lives in the network of one of them, or depends on it.
    assert changed_services >= wanted
    untouched = {
        pair.ours.project.service(name) for name in ("nginx", "prom/prometheus")
    }
    assert not changed_services & untouched


def test_every_dashboard_has_data(pair: Pair) -> None:
    may_be_empty = expressions.empty(pair.name)
    asked = [
        expression
        for _, expression in expressions.asked(pair.name, "prometheus")
        if not any(re.search(pattern, expression) for pattern in may_be_empty)
    ]
    assert len(asked) > 40
    assert unanswered(partial(compare.label_sets, pair.ours.prometheus), asked) == []


def test_every_log_query_has_data(pair: Pair) -> None:
    asked = [expression for _, expression in expressions.asked(pair.name, "loki")]
    assert unanswered(partial(compare.answers, pair.ours.loki), asked) == []


def test_every_metric_of_a_rule_is_there(pair: Pair) -> None:
    may_be_empty = expressions.empty(pair.name)
    rules = list(expressions.rules(pair.ours.prometheus))
    assert {health for _, _, health in rules} == {"ok"}
    asked = [
        name
        for name in sorted(
            {n for _, query, _ in rules for n in expressions.names(query)}
        )
        if not any(re.search(pattern, name) for pattern in may_be_empty)
    ]
    assert len(asked) > 3
    assert unanswered(partial(compare.label_sets, pair.ours.prometheus), asked) == []


def test_logs_have_the_labels_of_the_configuration(pair: Pair) -> None:
    for selector, names in STREAMS[pair.name]:
        found = compare.streams(pair.ours.loki, selector)
        assert found, selector
        assert {" ".join(sorted(name for name, _ in labels)) for labels in found} == {
            names
        }, selector


def test_a_series_goes_on_after_the_switch(pair: Pair) -> None:
    pair.need(NODE, NGINX)
    for metric in ("node_load1", "node_memory_MemTotal_bytes", "nginx_up"):
        parameters = {"match[]": metric, "start": time.time() - 3600}
        query = urllib.parse.urlencode(parameters)
        found = get_json(f"{pair.ours.prometheus}/api/v1/series?{query}")["data"]
        assert len(found) == 1, found


def test_metrics_are_those_of_the_originals(pair: Pair) -> None:
    theirs = pair.need(NODE, NGINX)
    asked = [f'{{job="{job}",alertname=""}}' for job in JOBS[pair.name]]
    found = compare.differences(theirs.prometheus, pair.ours.prometheus, asked)
    assert found == [], "\n".join(found)


def test_every_expression_answers_as_with_the_originals(pair: Pair) -> None:
    theirs = pair.need(NODE, NGINX)
    asked = [expression for _, expression in expressions.asked(pair.name, "prometheus")]
    for _, query, _ in expressions.rules(theirs.prometheus):
        asked.append(expressions.subject(query))
    if PROMTAIL not in theirs.originals:
        asked = [expression for expression in asked if "promtail" not in expression]
    found = compare.differences(theirs.prometheus, pair.ours.prometheus, asked)
    assert found == [], "\n".join(found)


def test_streams_are_those_of_promtail(pair: Pair) -> None:
    theirs = pair.need(PROMTAIL)
    for selector, timed in SAME_LINES[pair.name]:
        wanted = filled(selector, pair)
        cut = time.time_ns()
        for _ in range(int(DATA_SECONDS)):
            them, us = (
                compare.until(compare.streams(side.loki, wanted), cut)
                for side in (theirs, pair.ours)
            )
            found = compare.shape(them, us, times=timed)
            if them and not found:
                break
            time.sleep(1)
        assert them, wanted
        assert found == [], "\n".join(found)


def test_no_line_is_lost_or_doubled_by_the_switch(pairs: dict[str, Pair]) -> None:
    """The positions are kept in a volume: ours goes on where promtail was."""
    pair = pairs["wordpress"]
    pair.need(PROMTAIL)
    once(pair)


def test_going_back_loses_and_doubles_nothing(pairs: dict[str, Pair]) -> None:
    pair = pairs["wordpress"]
    theirs = pair.need(PROMTAIL, NODE, NGINX)
    back = Side(
        Project(pair.ours.project.name, theirs.project.folder, theirs.project.file),
        theirs.originals,
    )
    pair.visited.extend(pair.ours.visit())
    back.project.up()
    back.wait()
    pair.visited.extend(back.visit())
    once(pair)
    test_a_series_goes_on_after_the_switch(pair)


def once(pair: Pair) -> None:
    """Assert that every visit's line is there, once, whoever shipped it."""

    def seen() -> Counter[str]:
        found = compare.streams(pair.ours.loki, '{job="nginx",method="GET"}')
        rows = [row for rows in found.values() for row in rows.elements()]
        paths = (re.search(r"/\?visit=\d+\.", line) for _, line in rows)
        return Counter(path[0] for path in paths if path)

    wait_until(lambda: not set(pair.visited) - set(seen()), "all visits are stored")
    counts = seen()
    assert {path: counts[path] for path in pair.visited if counts[path] != 1} == {}


def filled(selector: str, pair: Pair) -> str:
    """Return *selector* with the names and the containers of both projects."""
    sides = (pair.ours, pair.theirs)
    ids = [
        side.project.containers()[service].id
        for side in sides
        for service in WRITERS[pair.name]
    ]
    length = 12 if "container_id" in selector else 64
    return selector.format(
        ours=pair.ours.project.name,
        kept=pair.theirs.project.name,
        ids="|".join(name[:length] for name in ids),
    )


def unanswered(
    ask: Callable[[str], Collection[object]], expressions: list[str]
) -> list[str]:
    """Return those of *expressions* that have no data, after a while either."""
    remaining = expressions
    deadline = time.monotonic() + DATA_SECONDS
    while remaining and time.monotonic() < deadline:
        remaining = [expression for expression in remaining if not ask(expression)]
        if remaining:
            time.sleep(0.5)
    return remaining
