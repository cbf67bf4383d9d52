"""Side by side with the real promtail: the same stages over the same lines.

``PROMTAIL=/path/to/promtail pytest tests/shipper/oracle``. A case that ``differs`` is
an intended difference, which docs/shipper.md gives the reason for; it fails when the
two come to agree. Without PROMTAIL ours still runs over every case.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipper.pipeline.entry import Entry, Labels
from shipper.pipeline.pipeline import Pipeline
from shipper.pipeline.stage import Workshop
from tests.shipper.oracle.conftest import Recorder, promtail, promtail_path, recorder
from tests.shipper.pipeline.conftest import Journal, configs
from tests.shipper.sink import Sink


CASES = Path(__file__).parent / "cases"
Seen = Counter[tuple[Any, ...]]


@dataclass(frozen=True)
class Case:
    """Stages and lines, from a file of ``cases/``."""

    file: str
    name: str
    pipeline: str
    lines: list[str | bytes]
    labels: dict[str, str] = field(default_factory=lambda: {"job": "t"})
    differs: str = ""

    def data(self) -> bytes:
        lines = [ln.encode() if isinstance(ln, str) else ln for ln in self.lines]
        return b"".join(line + b"\n" for line in lines)


def _cases() -> Iterator[Case]:
    for path in sorted(CASES.glob("*.yaml")):
        for item in yaml.safe_load(path.read_text()):
            yield Case(path.stem, **item)


def _when(timestamp_ns: int, begun_ns: int) -> int | str:
    return "now" if timestamp_ns >= begun_ns - 10**9 else timestamp_ns


async def through(
    stages: str, lines: Sequence[bytes], labels: Mapping[str, str]
) -> list[tuple[Labels, Entry]]:
    """Return what the YAML list *stages* makes of *lines*; each is accounted for."""
    begun = time.time_ns()
    sink, cursor = Sink(), Journal()
    pipeline = Pipeline(configs(stages), Workshop(), sink)
    given = tuple(sorted(labels.items()))
    for number, line in enumerate(lines):
        await pipeline.put(given, Entry(begun + number, line), cursor)
    await pipeline.flush()
    assert cursor.acknowledged == len(lines), "every line is accounted for"
    return sink.entries


async def _ours(case: Case, filename: str) -> Seen:
    begun = time.time_ns()
    lines = case.data().split(b"\n")[:-1]
    entries = await through(case.pipeline, lines, {**case.labels, "filename": filename})
    return Counter(
        _normal(_sent(found), entry.timestamp_ns, entry.line, entry.metadata, begun)
        for found, entry in entries
    )


def _sent(labels: Labels) -> Labels:
    """Take the tenant off, as the sender does."""
    return tuple(pair for pair in labels if pair[0] != "__tenant_id__")


def _normal(
    labels: Labels, timestamp_ns: int, line: bytes, metadata: Any, begun_ns: int
) -> tuple[Any, ...]:
    shown = tuple(p if p[0] != "filename" else (p[0], "F") for p in labels)
    return shown, _when(timestamp_ns, begun_ns), line, tuple(sorted(metadata))


async def _theirs(case: Case, directory: Path, expected: int) -> Seen:
    begun = time.time_ns()
    path = directory / "app.log"
    path.write_bytes(case.data())
    async with recorder() as loki:
        async with promtail(_config(case, path, loki), directory):
            seconds = 4.0 if case.differs else 10.0
            await loki.wait(expected, seconds=seconds, rest=0.5)
        return Counter(
            _normal(e.labels, e.timestamp_ns, e.line, e.metadata, begun)
            for e in loki.entries
        )


def _config(case: Case, path: Path, loki: Recorder) -> str:
    labels = {**case.labels, "__path__": str(path)}
    job = {
        "job_name": "case",
        "static_configs": [{"targets": ["localhost"], "labels": labels}],
    }
    head = {
        "server": {"disable": True},
        "positions": {"filename": str(path.parent / "positions.yaml")},
        "clients": [{"url": loki.url, "batchwait": "100ms"}],
    }
    stages = "".join(f"  {line}\n" for line in case.pipeline.splitlines())
    text = yaml.safe_dump(job, sort_keys=False).replace("\n", "\n  ").rstrip()
    return (
        f"{yaml.safe_dump(head)}scrape_configs:\n- {text}\n  pipeline_stages:\n{stages}"
    )


ALL_CASES = list(_cases())


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda c: f"{c.file}: {c.name}")
async def test_same_entries(case: Case, tmp_path: Path) -> None:
    ours = await _ours(case, str(tmp_path / "app.log"))
    if promtail_path() is None:
        pytest.skip("PROMTAIL names no promtail to compare with; ours ran")
    theirs = await _theirs(case, tmp_path, ours.total())
    if case.differs:
        assert ours != theirs, "the two agree: no longer a difference"
    else:
        assert ours == theirs
