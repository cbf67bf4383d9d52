"""The same relabel_configs through promtail and through ours: the same streams.

All cases are jobs of one configuration, each over a file of its own; a stage behind the
rules says which case a line is of. A case that ``differs`` is an intended difference,
which docs/shipper.md gives the reason for; it fails when the two come to agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import Recorder, Shipped, ours, promtail, recorder, settled


pytestmark = pytest.mark.oracle

LABELS = {
    "job": "t",
    "app": "web-server",
    "env": "prod",
    "same_env": "prod",
    "team": "Red Team",
    "port": "8080",
    "yes_or_no": "yes",
    "path_like": "/var/log/x/y",
    "unicode": "äé→日本",
    "two_lines": "one\ntwo",
    "ends": "end\n",
}
LINE = b"a line"


@dataclass(frozen=True)
class Case:
    """Rules over a target; *more* labels than `LABELS`."""

    name: str
    rules: str
    more: dict[str, str] = field(default_factory=dict)
    differs: str = ""


CASES = [
    Case(**item)
    for item in yaml.safe_load(Path(__file__).with_name("relabel.yaml").read_text())
]
Seen = dict[str, Counter[tuple[Any, ...]]]


def config(loki: Recorder, folder: Path, positions: str) -> str:
    """Return the YAML for both: a job for each case."""
    head = {
        "server": {"disable": True},
        "positions": {"filename": str(folder / positions)},
        "clients": [{"url": loki.url, "batchwait": "100ms"}],
    }
    jobs = [_job(case, folder, number) for number, case in enumerate(CASES)]
    return yaml.safe_dump(head) + "scrape_configs:\n" + "".join(jobs)


def _job(case: Case, folder: Path, number: int) -> str:
    labels = {**LABELS, **case.more, "__path__": str(folder / f"{number}.log")}
    job = {
        "job_name": case.name,
        "static_configs": [{"targets": ["localhost"], "labels": labels}],
        "pipeline_stages": [{"static_labels": {"case": f"case {number}"}}],
    }
    text = yaml.safe_dump([job], sort_keys=False, allow_unicode=True)
    rules = "".join(f"    {line}\n" for line in case.rules.splitlines())
    return f"{text}  relabel_configs:\n{rules}"


def _write(folder: Path) -> None:
    for number in range(len(CASES)):
        (folder / f"{number}.log").write_bytes(LINE + b"\n")
        (folder / f"{number}.txt").write_bytes(b"of the other path\n")


def _by_case(entries: Iterable[Shipped]) -> Seen:
    found: Seen = {}
    for entry in entries:
        labels = dict(entry.labels)
        number = int(labels.pop("case").removeprefix("case "))
        what = (tuple(sorted(labels.items())), entry.line, entry.tenant)
        found.setdefault(CASES[number].name, Counter())[what] += 1
    return found


async def _run(folder: Path) -> tuple[Seen, Seen]:
    _write(folder)
    async with recorder() as a, recorder() as b:
        async with (
            promtail(config(b, folder, "theirs.yaml"), folder),
            ours(config(a, folder, "ours.yaml")),
        ):
            await settled(a, b)
        return _by_case(a.entries), _by_case(b.entries)


async def test_same_streams(tmp_path: Path) -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    mine, theirs = await _run(tmp_path)
    wrong = [
        f"{case.name}:\n  ours   {a}\n  theirs {b}"
        for case in CASES
        for a, b in [(mine.get(case.name), theirs.get(case.name))]
        if (a == b) is bool(case.differs)
    ]
    assert not wrong, "\n".join(wrong)
    equal = sum(not case.differs for case in CASES)
    sent = sum(name in mine for name in (case.name for case in CASES))
    print(f"{equal} of {len(CASES)} cases equal, {sent} of them ship something")
