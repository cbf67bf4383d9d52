"""The alert rules: what promtool says of them, and that what they name exists."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.stack.backup.metrics import TEMPLATE
from deploy.stack.settings import DEPLOY, ROOT
from docs.families import all_families
from docs.keys import anchor


RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
CASES = sorted((Path(__file__).parent / "rules").glob("*.yml"))
RUNBOOK = ROOT / "docs" / "runbook.md"


@cache
def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


ALL = [
    (path, rule)
    for path in RULES
    for group in loaded(path)["groups"]
    for rule in group["rules"]
]
RECORDS = [rule["record"] for _, rule in ALL if "record" in rule]
# One name may stand for a warning and for the critical end of the same thing.
ALERTS: dict[tuple[str, str], dict[str, Any]] = {
    (rule["alert"], rule["labels"]["severity"]): rule
    for _, rule in ALL
    if "alert" in rule
}
NAMES = list(dict.fromkeys(name for name, _ in ALERTS))


def asked(*command: str | Path) -> str:
    """Return what *command* printed; fail with it unless it ends with 0."""
    done = subprocess.run(
        command,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.oracle
@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_promtool_takes_the_rules(promtool: str, path: Path) -> None:
    printed = asked(promtool, "check", "rules", "--lint=all", "--lint-fatal", path)
    count = sum(1 for found, _ in ALL if found == path)
    assert f"SUCCESS: {count} rules found" in printed


@pytest.mark.oracle
def test_prometheus_finds_the_rules(promtool: str) -> None:
    printed = asked(promtool, "check", "config", DEPLOY / "prometheus/prometheus.yml")
    assert [path for path in RULES if str(path) not in printed] == []


@pytest.mark.oracle
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_alerts_ring_when_they_should(promtool: str, path: Path) -> None:
    assert "SUCCESS" in asked(promtool, "test", "rules", path)


def test_the_container_has_the_rules() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    mounted = compose["services"]["prometheus"]["volumes"]
    config = Path("/etc/prometheus/prometheus.yml")
    assert [one for one in mounted if one.endswith(f":{config}:ro")]
    assert f"./prometheus/rules:{config.parent}/rules:ro" in mounted


def test_every_file_of_rules_has_a_file_of_cases() -> None:
    cases = {path.stem for path in CASES}
    assert cases == {path.stem for path in RULES} | {"records"}


def test_a_name_with_a_severity_stands_for_one_rule() -> None:
    assert len(ALERTS) == sum(1 for _, rule in ALL if "alert" in rule)
    assert len(RECORDS) == len(set(RECORDS))


def moments(alert: str) -> list[list[str]]:
    """Return the severities that are expected of *alert*, at each moment tried."""
    return [
        [one["exp_labels"]["severity"] for one in moment["exp_alerts"]]
        for path in CASES
        for case in loaded(path)["tests"]
        for moment in case.get("alert_rule_test", [])
        if moment["alertname"] == alert
    ]


ALWAYS = ("Watchdog", "none")


@pytest.mark.parametrize("key", ALERTS, ids="-".join)
def test_an_alert_has_a_case_where_it_rings_and_one_where_it_is_silent(
    key: tuple[str, str],
) -> None:
    alert, severity = key
    expected = {severity in moment for moment in moments(alert)}
    assert expected == ({True} if key == ALWAYS else {True, False})


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_is_named_by_the_convention_and_has_a_case(record: str) -> None:
    assert re.fullmatch(r"[a-z_]+:[a-z0-9_]+:[a-z0-9_]+", record)
    asked_for = [
        moment["expr"]
        for path in CASES
        for case in loaded(path)["tests"]
        for moment in case.get("promql_expr_test", [])
    ]
    assert [one for one in asked_for if record in one]


@pytest.mark.parametrize("key", ALERTS, ids="-".join)
def test_an_alert_says_what_it_is_and_where_to_look(key: tuple[str, str]) -> None:
    rule = ALERTS[key]
    assert rule["labels"].keys() == {"severity"}
    severities = {"none"} if key == ALWAYS else {"critical", "warning", "info"}
    assert rule["labels"]["severity"] in severities
    assert re.fullmatch(r"\d+[mh]", rule["for"])
    notes = rule["annotations"]
    assert notes.keys() == {"summary", "description", "runbook_url"}
    assert notes["runbook_url"] == f"docs/runbook.md#{anchor(key[0])}"


def test_the_runbook_has_a_paragraph_for_each_alert_and_for_no_other() -> None:
    titles = re.findall(r"(?m)^### (\w+)$", RUNBOOK.read_text())
    assert sorted(titles) == sorted(NAMES)
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("alert", NAMES)
def test_a_paragraph_of_the_runbook_says_something(alert: str) -> None:
    found = re.search(rf"(?ms)^### {alert}\n(.+?)(?=^##|\Z)", RUNBOOK.read_text())
    assert found is not None
    assert len(found[1].split()) >= 20


FAMILIES = {family.name: family for family in all_families()}
PAGES = ("metrics-node.md", "nginx-metrics.md")
WRITTEN = {
    name
    for page in PAGES
    for name in re.findall(r"`(\w+)`", (ROOT / "docs" / page).read_text())
}
# Of programs that are not ours; the test of the whole stack looks for them.
STRANGERS = re.compile(
    r"mysql_|prometheus_|alertmanager_|loki_|log_store_|process_|up$"
)


@cache
def counted_in_logs() -> set[str]:
    """Return the metrics that the shipper's pipeline makes."""

    def metrics(stages: Any) -> set[str]:
        found: set[str] = set()
        for stage in stages or []:
            found |= {f"promtail_custom_{name}" for name in stage.get("metrics", ())}
            found |= metrics(stage.get("match", {}).get("stages"))
        return found

    config = loaded(DEPLOY / "shipper" / "config.yaml")
    return set().union(
        *(metrics(job.get("pipeline_stages")) for job in config["scrape_configs"])
    )


def named(rule: dict[str, Any]) -> set[str]:
    """Return the names of the metrics in the expression of *rule*, records left out."""
    expression = re.sub(
        r'"[^"]*"|(?:without|by|on|ignoring) \([^)]*\)', "", rule["expr"]
    )
    expression = re.sub(r"\{[^}]*\}", " ", expression)
    names = set(re.findall(r"(?<![\w:])[a-z]\w*_\w+(?![\w:(]| \()|\bup\b", expression))
    return names - {"vector"}


def known(name: str) -> bool:
    base = re.sub(r"_(bucket|count|sum)$", "", name)
    of_backups = set(re.findall(r"# TYPE (\w+)", TEMPLATE))
    ours = WRITTEN | FAMILIES.keys() | counted_in_logs() | of_backups
    return bool({name, base} & ours or STRANGERS.match(name))


@pytest.mark.parametrize("number", range(len(ALL)))
def test_the_metrics_of_a_rule_exist(number: int) -> None:
    rule = ALL[number][1]
    records = [record for record in RECORDS if record in rule["expr"]]
    assert named(rule) or records or rule["expr"] == "vector(1)"
    assert {name for name in named(rule) if not known(name)} == set()


SHIPPER = [key for key in ALERTS if key[0].startswith("Shipper")]


@pytest.mark.parametrize("key", SHIPPER, ids="-".join)
def test_the_labels_in_the_text_of_an_alert_exist(key: tuple[str, str]) -> None:
    """A name that does not exist would leave a hole in the sentence."""
    known = {"job", "instance"}
    for name in named(ALERTS[key]) & FAMILIES.keys():
        # A label of the target is in the way of that of a metric.
        for label in FAMILIES[name].labels:
            known |= {label, f"exported_{label}"}
    text = " ".join(ALERTS[key]["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", text)) <= known


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_no_text_of_an_expected_alert_has_a_hole(path: Path) -> None:
    """promtool renders the texts: a label that is not there leaves two blanks."""
    for case in loaded(path)["tests"]:
        for moment in case.get("alert_rule_test", []):
            for alert in moment["exp_alerts"]:
                text = "\n".join(alert["exp_annotations"].values())
                assert not re.search(r"  | [.,:;]|\bof \.|<no value>|%!", text), text
