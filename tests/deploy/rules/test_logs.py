"""The shipper counts the lines that the alerts of logs.yml are about, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from deploy.stack.settings import DEPLOY
from tests.shipper.pipeline.conftest import Rig


CONFIG = yaml.safe_load((DEPLOY / "shipper" / "config.yaml").read_text())
STAGES = yaml.safe_dump(CONFIG["scrape_configs"][0].get("pipeline_stages", []))
LINES = [
    row.split(" ", 2)
    for row in Path(__file__).with_name("lines.txt").read_text().splitlines()
    if not row.startswith("#")
]


def counts(service: str, line: str) -> dict[str, float]:
    """Return the counters that moved when *service* had logged *line*."""
    rig = Rig(STAGES)
    labels = {"compose_service": service, "container_name": service, "stream": "stderr"}
    (out,) = rig.feed(line, labels)
    assert (out.line, out.labels) == (line, labels), "what is shipped stays as it was"
    return {
        sample.name.removeprefix("promtail_custom_"): sample.value
        for collector in rig.counts.collectors
        for family in collector.collect()
        for sample in family.samples
        if sample.labels == labels and not sample.name.endswith("_created")
    }


@pytest.mark.parametrize(("metric", "service", "line"), LINES)
def test_a_line_is_counted_once_or_not_at_all(
    metric: str, service: str, line: str
) -> None:
    assert counts(service, line) == ({} if metric == "-" else {metric: 1})


def test_there_is_a_line_for_each_counter() -> None:
    """One that is forgotten after five quiet minutes would ring at each new error."""
    stages = [
        inner["metrics"]
        for stage in yaml.safe_load(STAGES)
        for inner in stage["match"]["stages"]
    ]
    metrics = {name: one for stage in stages for name, one in stage.items()}
    assert metrics.keys() == {metric for metric, _, _ in LINES} - {"-"}
    assert {one["max_idle_duration"] for one in metrics.values()} == {"87600h"}


def test_the_example_for_lokis_ruler_has_the_same_alerts() -> None:
    def alerts(path: Path) -> list[dict[str, object]]:
        (group,) = yaml.safe_load(path.read_text())["groups"]
        return [{**rule, "expr": ""} for rule in group["rules"]]

    counted = DEPLOY / "prometheus" / "rules" / "logs.yml"
    assert alerts(DEPLOY / "loki/rules/fake/logs.yml") == alerts(counted)
