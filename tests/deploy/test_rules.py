"""The alert rules: what promtool says of them, and that what they name exists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.stack.settings import DEPLOY, ROOT
from docs.families import all_families
from docs.keys import anchor


RULES = DEPLOY / "prometheus" / "rules" / "shipper.yml"
CASES = Path(__file__).parent / "rules.yml"
RUNBOOK = ROOT / "docs" / "runbook.md"
UNPACKED = DEPLOY / ".state" / "oracles" / "usr" / "bin"

ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
}


@pytest.fixture(scope="session")
def promtool() -> str:
    found = shutil.which("promtool", path=f"{os.environ['PATH']}:{UNPACKED}")
    if found is None:
        pytest.skip(f"no promtool in PATH or {UNPACKED} (deploy/oracles unpacks it)")
    return found


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
def test_promtool_takes_the_rules(promtool: str) -> None:
    printed = asked(promtool, "check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert f"SUCCESS: {len(ALERTS)} rules found" in printed


@pytest.mark.oracle
def test_prometheus_finds_the_rules(promtool: str) -> None:
    printed = asked(promtool, "check", "config", DEPLOY / "prometheus/prometheus.yml")
    assert str(RULES) in printed


@pytest.mark.oracle
def test_the_alerts_ring_when_they_should(promtool: str) -> None:
    assert "SUCCESS" in asked(promtool, "test", "rules", CASES)


def test_the_container_has_the_rules() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    mounted = compose["services"]["prometheus"]["volumes"]
    config = "/etc/prometheus/prometheus.yml"
    assert f"./prometheus/prometheus.yml:{config}:ro" in mounted
    assert f"./prometheus/rules:{Path(config).parent}/rules:ro" in mounted


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_case_where_it_rings_and_one_where_it_is_silent(
    alert: str,
) -> None:
    expected = [
        bool(moment["exp_alerts"])
        for case in yaml.safe_load(CASES.read_text())["tests"]
        for moment in case["alert_rule_test"]
        if moment["alertname"] == alert
    ]
    assert {True, False} == set(expected)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_it_is_and_where_to_look(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert re.fullmatch(r"\d+m", rule["for"])
    notes = rule["annotations"]
    assert notes.keys() == {"summary", "description", "runbook_url"}
    assert notes["runbook_url"] == f"docs/runbook.md#{anchor(alert)}"


def test_the_runbook_has_a_paragraph_for_each_alert_and_for_no_other() -> None:
    titles = re.findall(r"(?m)^## (\w+)$", RUNBOOK.read_text())
    assert titles == list(ALERTS)


FAMILIES = {family.name: family for family in all_families()}


def named(alert: str) -> set[str]:
    """Return the names of the metrics in the expression of *alert*."""
    return set(re.findall(r"\b(?:shipper|promtail)_\w+", ALERTS[alert]["expr"]))


@pytest.mark.parametrize("alert", [name for name in ALERTS if name != "ShipperDown"])
def test_the_metrics_of_an_alert_are_on_the_page(alert: str) -> None:
    assert named(alert)
    assert named(alert) - FAMILIES.keys() == set()


@pytest.mark.parametrize("alert", ALERTS)
def test_the_labels_in_the_text_of_an_alert_exist(alert: str) -> None:
    """A name that does not exist would leave a hole in the sentence."""
    known = {"job", "instance"}
    for name in named(alert) & FAMILIES.keys():
        labels = set(FAMILIES[name].labels)
        # The scrape's own `job` is in the way of that of a metric.
        known |= {f"exported_{x}" if x in {"job", "instance"} else x for x in labels}
    text = " ".join(ALERTS[alert]["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", text)) <= known
