from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import pytest

from exporters.node import calls, procfs
from exporters.node.collectors import cpu
from exporters.node.hardware import cpu_times, cpuinfo
from exporters.node.paths import Paths
from exporters.node.registry import Context
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Program
from exporters.toolkit.metric import Metric
from tests.node.conftest import FIXTURES, Run


def by_name(families: list[Metric]) -> dict[str, Metric]:
    return {f.samples[0].name: f for f in families}


def rows(family: Metric) -> list[tuple[str, ...]]:
    return [(*s.labels.values(), str(s.value)) for s in family.samples]


@pytest.fixture(autouse=True)
def on_x86(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpuinfo, "dialect", lambda _: cpuinfo.X86)


def test_the_defaults(run: Run) -> None:
    found = by_name(run(cpu.COLLECTOR))
    assert set(found) == {
        "node_cpu_seconds_total",
        "node_cpu_guest_seconds_total",
        "node_cpu_isolated",
        "node_cpu_core_throttles_total",
        "node_cpu_package_throttles_total",
        "node_cpu_online",
    }
    seconds = found["node_cpu_seconds_total"]
    assert seconds.type == "counter"
    assert len(seconds.samples) == 16
    idle = [s for s in seconds.samples if s.labels == {"cpu": "1", "mode": "idle"}]
    assert idle[0].value == 1371.63
    assert rows(found["node_cpu_isolated"]) == [("2", "1"), ("3", "1"), ("7", "1")]
    assert rows(found["node_cpu_core_throttles_total"]) == [
        ("0", "0", "10"),
        ("0", "1", "11"),
    ]
    assert rows(found["node_cpu_package_throttles_total"]) == [("0", "30")]
    assert [(s.labels["cpu"], s.value) for s in found["node_cpu_online"].samples] == [
        ("0", 1),
        ("1", 0),
        ("10", 0),
    ]


def test_guests_can_be_left_out(run: Run) -> None:
    found = by_name(run(cpu.COLLECTOR, "--no-collector.cpu.guest"))
    assert "node_cpu_guest_seconds_total" not in found


def test_info(run: Run) -> None:
    found = by_name(run(cpu.COLLECTOR, "--collector.cpu.info"))
    assert found["node_cpu_info"].samples[1].labels == {
        "package": "0",
        "core": "1",
        "cpu": "1",
        "vendor": "GenuineIntel",
        "family": "6",
        "model": "142",
        "model_name": "Example(R) CPU @ 1.90GHz",
        "microcode": "0xb4",
        "stepping": "10",
        "cachesize": "8192 KB",
    }
    assert not {"node_cpu_flag_info", "node_cpu_bug_info"} & set(found)
    # That is for hosts with cpufreq: see test_cpufreq.
    assert "node_cpu_frequency_hertz" not in found


def test_frequency() -> None:
    cpus = cpuinfo.parse((FIXTURES / "proc/cpuinfo").read_bytes(), cpuinfo.X86)
    frequency = cpu.frequency_family(cpus)
    assert rows(frequency)[1] == ("0", "1", "1", "2100500000.0")


def test_an_include_turns_info_on(run: Run) -> None:
    flags = (
        "--collector.cpu.info.flags-include=^avx.?$",
        "--collector.cpu.info.bugs-include=spectre",
    )
    found = by_name(run(cpu.COLLECTOR, *flags))
    assert "node_cpu_info" in found
    assert rows(found["node_cpu_flag_info"]) == [("avx", "1"), ("avx2", "1")]
    assert rows(found["node_cpu_bug_info"]) == [("spectre_v1", "1")]


@pytest.mark.parametrize("flag", ["flags-include", "bugs-include"])
def test_a_bad_include_ends_the_start(flag: str, run: Run) -> None:
    with pytest.raises(StartError, match="error parsing regexp"):
        run(cpu.COLLECTOR, f"--collector.cpu.info.{flag}=(")


def test_a_bad_isolated_list_costs_only_itself(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(FIXTURES / "sys/devices", tmp_path / "devices")
    (tmp_path / "devices/system/cpu/isolated").write_text("one")
    where = Paths(procfs=str(FIXTURES / "proc"), sysfs=str(tmp_path))
    names = {m.name for m in run(cpu.COLLECTOR, where=where)}
    assert "node_cpu_seconds" in names
    assert "node_cpu_isolated" not in names
    assert "Unable to get isolated cpus" in caplog.text


def test_a_bad_cpuinfo_does_not_cost_the_seconds(paths: Paths, tmp_path: Path) -> None:
    shutil.copytree(paths.procfs, tmp_path / "proc")
    (tmp_path / "proc/cpuinfo").write_text("rubbish")
    program = Program("x", "", (cpu.COLLECTOR.switch, *cpu.COLLECTOR.flags))
    values = program.parse(["--collector.cpu.info"], {})
    where = Paths(procfs=str(tmp_path / "proc"), sysfs=paths.sysfs)
    outcome = calls.run(cpu.COLLECTOR.create(Context(where, values)))
    assert isinstance(outcome.error, ValueError)
    assert "node_cpu_seconds" in {metric.name for metric in outcome.metrics}


def test_no_sysfs_leaves_the_seconds(run: Run, tmp_path: Path) -> None:
    where = Paths(procfs=str(FIXTURES / "proc"), sysfs=str(tmp_path))
    assert set(by_name(run(cpu.COLLECTOR, where=where))) == {
        "node_cpu_seconds_total",
        "node_cpu_guest_seconds_total",
    }


def test_agrees_with_psutil() -> None:
    before = psutil.cpu_times(percpu=True)
    ours = cpu_times.parse_cpu_times(procfs.read("/proc/stat"))
    after = psutil.cpu_times(percpu=True)
    assert len(ours) == len(before)
    for theirs, times, later in zip(before, ours.values(), after, strict=True):
        for mode in ("user", "system", "irq", "softirq", "steal", "guest"):
            first, last = getattr(theirs, mode), getattr(later, mode)
            assert first <= getattr(times, mode) <= last
