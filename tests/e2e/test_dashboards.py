"""Every expression of the dashboards is asked for real and has an answer."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import ROOT, Stack, get_json, wait_until


pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(1500)]

DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
VARIABLES = {
    "$__rate_interval": "1m",
    "$__interval": "1m",
    "$container": ".+",
    "$search": "",
}


def expressions(kind: str) -> Iterator[tuple[str, str]]:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                if target["datasource"]["type"] == kind:
                    yield f"{path.stem}: {panel['title']}", fill(target["expr"])


def fill(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


@pytest.mark.parametrize(("panel", "expression"), [*expressions("prometheus")])
def test_prometheus_panels_have_data(stack: Stack, panel: str, expression: str) -> None:
    wait_until(lambda: bool(stack.prometheus(expression)), f"{panel} has data")


@pytest.mark.parametrize(("panel", "expression"), [*expressions("loki")])
def test_log_panels_have_data(stack: Stack, panel: str, expression: str) -> None:
    now = time.time_ns()
    parameters = urllib.parse.urlencode(
        {"query": expression, "start": now - 3600 * 10**9, "end": now, "step": "15s"}
    )
    url = stack.url("LOKI_PORT", f"/loki/api/v1/query_range?{parameters}")
    wait_until(lambda: bool(get_json(url)["data"]["result"]), f"{panel} has data")


def test_datasources_are_the_ones_that_are_provisioned() -> None:
    provisioned = Path(
        ROOT / "deploy/grafana/provisioning/datasources/datasource.yml"
    ).read_text()
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            assert f"uid: {panel['datasource']['uid']}\n" in provisioned, path
