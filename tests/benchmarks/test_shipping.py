"""The rows about the shipper and the three together, from what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import programs, shipping, together
from benchmarks.measure import Plan
from benchmarks.part import Setting
from benchmarks.process import LeftOutError
from benchmarks.shipper import Runs, Shipped
from benchmarks.shipper_idle import Idle, Pair
from benchmarks.shipper_reads import Read
from benchmarks.summary import Row
from benchmarks.together import Both, Held


MIB = 2**20
OURS = Shipped(3.0, 7.0, 1.0, 95_000, 50 * MIB, 0.5)
THEIRS = Shipped(12.0, 7.0, 1.0, 60_000, 100 * MIB, 5.5)
READS = {"bare": [Read(10.0, 0.5, 7.0)], "docker logs": [Read(20.0, 3.0, 7.0)]}


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Setting:
    monkeypatch.setattr(shipping, "needs_engine", lambda: None)
    monkeypatch.setattr(shipping, "_start_rows", lambda _: iter(()))
    monkeypatch.setattr(programs, "original", lambda variable: variable)
    return Setting(programs.interpreter(), Plan(), tmp_path)


def verdicts(rows: tuple[Row, ...]) -> dict[str, tuple[float, str]]:
    return {row.title: (round(row.ratio, 3), row.verdict) for row in rows if row.target}


def test_a_long_log(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs({"ours": [OURS], "promtail": [THEIRS]}, READS)
    monkeypatch.setattr(shipping, "measure", lambda *_, **__: runs)
    promtail, bare, logs = shipping.log(setting)
    assert verdicts(promtail.rows) == {
        "CPU per million lines": (0.25, "met"),
        "peak RSS": (0.5, "met"),
        "start to first line shipped": (0.091, "met"),
    }
    # A bare read gets 100,000 lines a second.
    assert verdicts(bare.rows) == {"lines per second": (0.95, "met")}
    assert verdicts(logs.rows) == {}


def test_a_long_log_without_promtail(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs({"ours": [OURS]}, READS)
    monkeypatch.setattr(shipping, "measure", lambda *_, **__: runs)
    promtail, bare, _ = shipping.log(setting)
    assert [row.verdict for row in promtail.rows if row.target] == [
        "open",
        "open",
        "met",
    ]
    assert verdicts(bare.rows) == {"lines per second": (0.95, "met")}


def test_stages(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs({"ours": [OURS], "promtail": [OURS]}, READS)
    monkeypatch.setattr(shipping, "measure", lambda *_, **__: runs)
    (section,) = shipping.stages(setting)
    assert verdicts(section.rows) == {"CPU per million lines": (1.0, "missed")}


def test_idle_containers(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Pair(Idle((1.0,), 50 * MIB), Idle((4.0, 2.0), 60 * MIB))
    theirs = Pair(Idle((1.0,), 80 * MIB), Idle((10.0, 5.0), 120 * MIB))
    found = {"ours": ours, "promtail": theirs}
    monkeypatch.setattr(shipping, "measure_idle", lambda *_: found)
    (section,) = shipping.idle(setting)
    assert verdicts(section.rows) == {
        "CPU per hour": (0.4, "met"),
        "RSS per container": (0.25, "met"),
    }


def test_without_an_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shipping, "SOCKET", str(tmp_path / "none"))
    for part in (shipping.log, shipping.stages, shipping.idle, together.sections):
        with pytest.raises(LeftOutError, match="expected the socket of a Docker"):
            list(part(Setting(programs.interpreter(), Plan(), tmp_path)))


def test_the_sum_of_three() -> None:
    held = {
        "node": Both(Held(30.0 * MIB, 31.0 * MIB), Held(16.0 * MIB, 21.0 * MIB)),
        "nginx": Both(Held(25.0 * MIB, 25.0 * MIB), Held(10.0 * MIB, 15.0 * MIB)),
        "shipper": Both(Held(40.0 * MIB, 64.0 * MIB), Held(74.0 * MIB, 84.0 * MIB)),
    }
    found = tuple(together.rows(held))
    assert verdicts(found) == {
        "sum of RSS at rest": (0.95, "met"),
        "sum of RSS after work": (1.0, "met"),
    }
    assert len(found) == 8
