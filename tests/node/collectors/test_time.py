from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.node.collectors import time as time_collector
from exporters.node.paths import Paths
from tests.node.conftest import Run


def test_the_time_is_now(run: Run) -> None:
    before = time.time()
    metrics = {m.name: m for m in run(time_collector.COLLECTOR)}
    assert before <= metrics["node_time_seconds"].samples[0].value <= time.time()


@pytest.mark.parametrize(
    ("zone", "name", "offset"),
    [("UTC", "UTC", 0), ("<+05>-5:30", "+05", 19800), ("EST5", "EST", -18000)],
)
def test_zone(
    zone: str, name: str, offset: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        metrics = {m.name: m for m in run(time_collector.COLLECTOR)}
    finally:
        monkeypatch.undo()
        time.tzset()
    sample = metrics["node_time_zone_offset_seconds"].samples[0]
    assert (sample.labels["time_zone"], sample.value) == (name, offset)


def test_clock_sources_are_numbered_by_their_place(
    run: Run, paths: Paths, tmp_path: Path
) -> None:
    for number, current in ((2, b"tsc\n"), (10, b"hpet\n")):
        source = tmp_path / f"devices/system/clocksource/clocksource{number}"
        source.mkdir(parents=True)
        (source / "available_clocksource").write_bytes(b"tsc hpet \n")
        (source / "current_clocksource").write_bytes(current)
    where = replace(paths, sysfs=str(tmp_path))
    metrics = {m.name: m for m in run(time_collector.COLLECTOR, where=where)}
    current_info = metrics["node_time_clocksource_current_info"].samples
    # In the order of the names: clocksource10 comes before clocksource2.
    assert [s.labels for s in current_info] == [
        {"device": "0", "clocksource": "hpet"},
        {"device": "1", "clocksource": "tsc"},
    ]
    assert len(metrics["node_time_clocksource_available_info"].samples) == 4
