"""The dashboards: the JSON is what the code writes, and nothing in it is left out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.dashboards import uids
from deploy.dashboards.catalogue import FOLDER, rendered
from deploy.stack.settings import DEPLOY, ROOT
from tests.e2e.dashboards import VARIABLE, at_first, boards, questions


Board = dict[str, Any]
Panel = dict[str, Any]

# What links, bookmarks and alerts of users hold: never to be changed.
UIDS = {
    "stack-host",
    "stack-logs",
    "stack-monitoring",
    "stack-nginx",
    "stack-overview",
    "stack-php-fpm",
    "stack-wordpress",
}
# Panels that come with Grafana 12 and 13 itself, none of them Angular.
CORE = {"bargauge", "logs", "row", "stat", "state-timeline", "table", "timeseries"}
SOURCES = {"prometheus": "${prometheus}", "loki": "${loki}"}
PROVISIONING = DEPLOY / "grafana" / "provisioning"
BOARDS = boards()
UNITS = {value for name, value in vars(units).items() if name[0].isupper()}

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def panels() -> Iterator[Any]:
    for uid, board in BOARDS.items():
        for panel in board["panels"]:
            if panel["type"] != "row":
                name = f"{uid}-{panel['id']}-{panel['title']}"
                yield pytest.param(board, panel, id=name.replace(" ", "_"))


each_panel = pytest.mark.parametrize(("board", "panel"), [*panels()])


def test_the_committed_json_is_what_the_code_writes() -> None:
    committed = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    texts = rendered()
    assert committed.keys() == texts.keys()
    for name, text in texts.items():
        assert committed[name] == text, f"{name}: run python -m deploy.dashboards"


def test_another_python_writes_the_same() -> None:
    """Neither the order of a set nor an address gets into the JSON."""
    program = (
        "import json; from deploy.dashboards.catalogue import rendered;"
        "print(json.dumps(rendered()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": "7"},
    )
    assert json.loads(done.stdout) == rendered()


def test_the_uids_never_change() -> None:
    assert BOARDS.keys() == UIDS == set(uids.TITLES)
    assert {path.stem for path in FOLDER.glob("*.json")} == UIDS
    assert {uid: board["title"] for uid, board in BOARDS.items()} == uids.TITLES


@each_board
def test_the_types_of_grafana_take_all_of_it(board: Board) -> None:
    """What the SDK, made from Grafana's schema, does not know it would not keep."""
    register_default_plugins()
    read = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    assert list(lost(board, read, "")) == []


def lost(before: Any, after: Any, path: str) -> Iterator[str]:
    """Yield the paths of *before* that are not so in *after*."""
    if isinstance(before, dict) and isinstance(after, dict):
        # Prometheus' own keys of an annotation are not in the schema of dashboards.
        own = {"titleFormat", "textFormat", "step"} if "iconColor" in before else set()
        for key in before.keys() - own:
            yield from lost(before[key], after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list):
        assert len(before) == len(after), path
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{number}]")
    elif before != after:
        yield path


@each_board
def test_a_dashboard_has_its_frame(board: Board) -> None:
    assert board["description"]
    assert board["tags"] == ["stack"]
    assert board["schemaVersion"] >= 41
    assert board["timezone"] == "browser"
    assert board["refresh"] == "30s"
    assert "id" not in board, "the number of one Grafana"
    names = [annotation["name"] for annotation in board["annotations"]["list"]]
    assert names == ["Alerts", "Restarts", "Service restarts", "Deploys"]


@each_board
def test_panels_have_a_number_and_a_place_of_their_own(board: Board) -> None:
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) > 0
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert place["w"] > 0, panel["title"]
        assert place["h"] > 0, panel["title"]
    for one, other in combinations(board["panels"], 2):
        assert not overlap(one["gridPos"], other["gridPos"]), (one, other)


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


@each_board
def test_titles_are_unique_below_one_row(board: Board) -> None:
    seen: set[str] = set()
    for panel in board["panels"]:
        assert panel["title"], panel
        if panel["type"] == "row":
            seen = set()
            continue
        assert panel["title"] not in seen
        seen.add(panel["title"])


@each_panel
def test_a_panel_says_what_it_is_and_asks_the_chosen_source(
    board: Board, panel: Panel
) -> None:
    assert panel["type"] in CORE
    assert re.fullmatch(r"[A-Z0-9].*\.", panel["description"], re.DOTALL)
    source = panel["datasource"]
    assert source["uid"] == SOURCES[source["type"]]
    assert panel["targets"]
    assert {target["datasource"]["uid"] for target in panel["targets"]} == {
        source["uid"]
    }
    letters = [target["refId"] for target in panel["targets"]]
    assert letters == sorted(set(letters))


@each_panel
def test_a_panel_with_numbers_has_unit_limits_and_words(
    board: Board, panel: Panel
) -> None:
    if panel["type"] == "logs":
        return
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"] in UNITS
    assert defaults["thresholds"]["steps"][0].get("value") is None
    assert defaults["noValue"]
    legends = [target["legendFormat"] for target in panel["targets"]]
    assert all(legends)
    assert len(set(legends)) == len(legends) or panel["type"] == "table"
    # Only what can be negative has no lower end.
    assert defaults.get("min") == 0 or panel["title"] == "Clock offset"
    if defaults["unit"] == "percentunit" and panel["type"] != "timeseries":
        assert defaults["max"] == 1
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["showLegend"]
        assert panel["options"]["legend"]["calcs"]


@each_panel
def test_a_number_is_of_now_and_a_graph_of_the_range(
    board: Board, panel: Panel
) -> None:
    """The last value of a range stays when no more come: UP, for an hour after."""
    for target in panel["targets"]:
        now = target.get("instant", target.get("queryType") == "instant")
        assert now == (panel["type"] in {"stat", "bargauge", "table"})


@each_panel
def test_a_number_links_to_the_same_time(board: Board, panel: Panel) -> None:
    if panel["type"] == "logs":
        return
    links = panel["fieldConfig"]["defaults"]["links"]
    assert links
    for link in links:
        assert link.keys() == {"title", "url", "targetBlank"}
        assert "from=${__from}&to=${__to}" in link["url"]


def urls(board: Board) -> Iterator[str]:
    yield from (link["url"] for link in board["links"])
    for panel in board["panels"]:
        config = panel.get("fieldConfig", {}).get("defaults", {})
        yield from (link["url"] for link in config.get("links", []))


@each_board
def test_links_lead_to_dashboards_and_to_variables_that_exist(board: Board) -> None:
    known = at_first(board)
    for url in urls(board):
        parts = urlsplit(url)
        target = BOARDS[parts.path.removeprefix("/d/")]
        theirs = at_first(target)
        for name in parse_qs(parts.query):
            if name.startswith("var-"):
                assert name.removeprefix("var-") in theirs, url
        for found in VARIABLE.finditer(url.replace("${__field.", "")):
            name = found["braced"]
            if name not in {"__from", "__to"}:
                assert name in known, url
                assert name in theirs, url


@each_board
def test_every_other_dashboard_is_linked(board: Board) -> None:
    linked = {urlsplit(link["url"]).path for link in board["links"]}
    assert linked == {f"/d/{uid}" for uid in BOARDS if uid != board["uid"]}
    assert all(link["keepTime"] for link in board["links"])


@each_board
def test_a_level_in_a_link_is_one_that_can_be_chosen(board: Board) -> None:
    (levels,) = (
        variable
        for variable in BOARDS[uids.LOGS]["templating"]["list"]
        if variable["name"] == "level"
    )
    values = {option["value"] for option in levels["options"]}
    for url in urls(board):
        for value in parse_qs(urlsplit(url).query).get("var-level", []):
            assert value in values


@each_board
def test_variables_are_defined_and_used(board: Board) -> None:
    """`questions` fails with a KeyError for one that is not defined."""
    assert questions(board)
    text = json.dumps([board["panels"], board["templating"]["list"], board["links"]])
    used = {found["braced"] or found["plain"] for found in VARIABLE.finditer(text)}
    assert used >= at_first(board).keys()


@each_board
def test_variables_ask_the_chosen_source_and_begin_with_ours(board: Board) -> None:
    provisioned = yaml.safe_load(
        (PROVISIONING / "datasources/datasource.yml").read_text()
    )
    ours = {source["type"]: source["uid"] for source in provisioned["datasources"]}
    for variable in board["templating"]["list"]:
        assert variable["label"]
        if variable["type"] == "datasource":
            assert variable["current"]["value"] == ours[variable["query"]]
        if variable["type"] == "query":
            source = variable["datasource"]
            assert source["uid"] == SOURCES[source["type"]]


@each_board
def test_no_panel_hides_that_a_metric_is_gone(board: Board) -> None:
    """The silent breakages of public dashboards, each as a rule."""
    for question in questions(board):
        text = question.text
        assert "vector(" not in text, f"{question.name}: 0 for a name that is not there"
        assert 'fstype="' not in text, f"{question.name}: one kind of file system"
        assert not re.search(r'up\{[^}]*job="', text), f"{question.name}: a fixed job"
        if "node_load" in text:
            assert "node_cpu_seconds_total" in text, f"{question.name}: load of no core"
        for found in re.finditer(r"\brate\(|\bincrease\(|\birate\(", text):
            counter = re.match(r"\w+", text[found.end() :])
            assert counter is None or counter[0] not in {"sum", "max", "avg"}, text


OUTCOMES = ("success", "failure")
# Names are in backquotes; ours are in italics too.
TABLE = re.compile(r"(?m)^\| \*?`(\w+)`")
DOCUMENTED = {
    name
    for page in ("metrics-node", "nginx-metrics", "shipper")
    for name in TABLE.findall((ROOT / "docs" / f"{page}.md").read_text())
} | {f"node_scrape_collector_{what}" for what in ("duration_seconds", *OUTCOMES)}
NAMES = re.compile(r"\b(?:node|nginx|phpfpm|promtail|shipper)_\w+")


@each_board
def test_the_metrics_of_our_programs_are_documented_ones(board: Board) -> None:
    for question in questions(board):
        if question.language == "prometheus":
            for name in NAMES.findall(question.text):
                family = re.sub(r"_(bucket|count|sum)$", "", name)
                assert {name, family} & DOCUMENTED, f"{question.name}: {name}"


def test_the_step_of_a_rate_follows_from_the_scrape_interval() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    sources = yaml.safe_load((PROVISIONING / "datasources/datasource.yml").read_text())
    (prometheus,) = (
        source for source in sources["datasources"] if source["type"] == "prometheus"
    )
    interval = config["global"]["scrape_interval"]
    assert prometheus["jsonData"]["timeInterval"] == interval


def test_grafana_reads_the_folder_that_the_container_gets() -> None:
    providers = yaml.safe_load((PROVISIONING / "dashboards/dashboards.yml").read_text())
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    mounts = compose["services"]["grafana"]["volumes"]
    (provider,) = providers["providers"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in mounts
    assert "./grafana/provisioning:/etc/grafana/provisioning:ro" in mounts
