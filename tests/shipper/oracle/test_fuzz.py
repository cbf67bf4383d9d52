"""Pipelines that nobody thought of, side by side with the real promtail.

``FUZZ=<seed> PROMTAIL=/path/to/promtail pytest tests/shipper/oracle/test_fuzz.py`` for
others than the usual ones. Without PROMTAIL ours runs over them: no line may be lost on
the way through a pipeline.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tests.shipper.oracle import generate
from tests.shipper.oracle.conftest import promtail, promtail_path, recorder
from tests.shipper.oracle.test_pipelines import through


CASES = 80
SEEDS = [int(os.environ["FUZZ"])] if "FUZZ" in os.environ else [1, 2, 3]
Seen = Counter[tuple[Any, ...]]


@dataclass
class Case:
    """A pipeline, the file it reads, and what ours made of that."""

    stages: list[generate.Stage]
    path: Path
    labels: dict[str, str]
    ours: Seen

    def job(self) -> dict[str, Any]:
        labels = {**self.labels, "__path__": str(self.path)}
        return {
            "job_name": self.labels["case"],
            "static_configs": [{"targets": ["localhost"], "labels": labels}],
            "pipeline_stages": self.stages,
        }


async def _case(random: Random, number: int, directory: Path) -> Case:
    stages, lines = generate.pipeline(random), generate.lines(random)
    path = directory / f"{number}.log"
    path.write_text("".join(f"{line}\n" for line in lines), newline="")
    labels = {"job": "t", "case": str(number)}
    ours = await _ours(stages, lines, {**labels, "filename": str(path)})
    return Case(stages, path, labels, ours)


async def _ours(
    stages: list[generate.Stage], lines: list[str], labels: dict[str, str]
) -> Seen:
    begun = time.time_ns()
    text = yaml.safe_dump(stages)
    entries = await through(text, [line.encode() for line in lines], labels)
    seen: Seen = Counter()
    for found, entry in entries:
        named = dict(found)
        tenant = named.pop("__tenant_id__", "")
        seen[_seen(tuple(named.items()), entry, tenant, begun)] += 1
    return seen


def _seen(labels: Any, entry: Any, tenant: str, begun_ns: int) -> tuple[Any, ...]:
    stamp = entry.timestamp_ns
    when = "now" if begun_ns - 10**9 <= stamp < begun_ns + 3600 * 10**9 else stamp
    return labels, when, entry.line, tuple(sorted(entry.metadata)), tenant


async def _theirs(cases: list[Case], directory: Path) -> dict[str, Seen]:
    begun = time.time_ns()
    expected = sum(case.ours.total() for case in cases)
    async with recorder() as loki:
        config = {
            "server": {"disable": True},
            "positions": {"filename": str(directory / "positions.yaml")},
            "clients": [{"url": loki.url, "batchwait": "100ms"}],
            "scrape_configs": [case.job() for case in cases],
        }
        async with promtail(yaml.safe_dump(config), directory):
            await loki.wait(expected, seconds=10.0, rest=1.0)
    seen = {case.labels["case"]: Seen() for case in cases}
    for entry in loki.entries:
        found = _seen(entry.labels, entry, entry.tenant, begun)
        seen[dict(entry.labels)["case"]][found] += 1
    return seen


@pytest.mark.parametrize("seed", SEEDS)
async def test_made_up_pipelines(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    cases = [await _case(random, number, tmp_path) for number in range(CASES)]
    if promtail_path() is None:
        pytest.skip("PROMTAIL names no promtail to compare with; ours ran")
    theirs = await _theirs(cases, tmp_path)
    for case in cases:
        assert case.ours == theirs[case.labels["case"]], yaml.safe_dump(case.stages)
