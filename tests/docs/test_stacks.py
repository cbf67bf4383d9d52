"""docs/stacks.md: each thing that it says holds a point is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml


ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "stacks.md"
HELD = re.compile(r"\[[^\]]+\]\(([^)]+\.py)\)((?: `test_\w+`)+)")
COMPOSE = (ROOT / "deploy" / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]


def _rows(heading: str) -> list[list[str]]:
    """Return the rows of the table below *heading*, without its two first lines."""
    section = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]
    ]


def _ours(point: str) -> list[int]:
    (cell,) = [row[1] for row in _rows("Features") if row[0] == point]
    return [int(number) for number in re.findall(r"\d+", cell)]


def test_every_test_that_holds_a_point_exists() -> None:
    named = HELD.findall(PAGE.read_text())
    assert len(named) > 15
    assert [
        f"{file}: {test}"
        for file, tests in named
        for test in re.findall(r"test_\w+", tests)
        if f"def {test}(" not in (PAGE.parent / file).read_text()
    ] == []


def test_every_line_of_compose_that_holds_a_point_is_there() -> None:
    cells = [HELD.sub("", row[1]) for row in _rows("What holds it")]
    lines = [line for cell in cells for line in re.findall(r"`([^`]+)`", cell)]
    assert len(lines) > 5
    assert [line for line in lines if line not in COMPOSE] == []


def test_every_point_of_the_review_is_held() -> None:
    points = [str(number) for number in range(1, 17)]
    assert [row[0] for row in _rows("The security review")] == points
    held = {row[0] for row in _rows("What holds it")}
    assert held >= set(points)


def test_the_numbers_are_right() -> None:
    checked = [name for name, one in SERVICES.items() if "healthcheck" in one]
    assert _ours("services") == [len(SERVICES)]
    assert _ours("healthchecks") == [len(checked), len(SERVICES)]
    boards = list((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
    assert all(json.loads(board.read_text())["panels"] for board in boards)
    assert _ours("dashboards") == [len(boards)]
    files = (ROOT / "deploy" / "prometheus" / "rules").glob("*.yml")
    groups = [g for f in files for g in yaml.safe_load(f.read_text())["groups"]]
    rules = [rule for group in groups for rule in group["rules"]]
    alerts = [rule for rule in rules if "alert" in rule]
    assert _ours("alert rules, recording rules") == [
        len(alerts),
        len(rules) - len(alerts),
    ]


def test_every_image_has_a_version() -> None:
    files = (ROOT / "deploy").glob("compose*.yaml")
    images = re.findall(r"(?m)^\s+image: \$\{\w+:-(.+)\}$", "".join(map(_text, files)))
    assert len(images) >= len(SERVICES)
    ours = {image for image in images if image.startswith("monitoring-exporters/")}
    versions = [i.partition(":")[2] for i in images if i not in ours]
    assert [v for v in versions if not re.match(r"v?\d+\.\d+", v)] == []


def _text(path: Path) -> str:
    return path.read_text()
