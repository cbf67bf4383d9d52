from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from exporters.node import calls
from exporters.node.collectors import cpufreq
from exporters.node.hardware import cpufreq as reading
from exporters.node.paths import Paths
from exporters.node.registry import Context, Registry, discover, flags
from exporters.toolkit.flags import Program
from exporters.toolkit.metric import Metric
from tests.node import tree


CPU = "devices/system/cpu"


def outcome(text: str, tmp_path: Path) -> calls.Outcome:
    tree.plant(text, tmp_path)
    values = Program("node_exporter", "", ()).parse((), {})
    return calls.run(cpufreq.create(Context(Paths(sysfs=str(tmp_path)), values)))


def values(metrics: tuple[Metric, ...]) -> dict[str, float]:
    return {
        f"{s.name.removeprefix('node_cpu_')} {' '.join(s.labels.values())}": s.value
        for family in metrics
        for s in family.samples
    }


def test_offline_cpus_and_those_without_cpufreq_are_left_out(tmp_path: Path) -> None:
    text = (
        f"{CPU}/offline: 2,4-5\n"
        f"{CPU}/cpu0/online: 1\n"
        f"{CPU}/cpu1/cpufreq/scaling_cur_freq: 800000\n"
        f"{CPU}/cpu2/cpufreq/scaling_cur_freq: 1\n"
        f"{CPU}/cpu5/cpufreq/scaling_cur_freq: 1\n"
        f"{CPU}/cpu10/cpufreq/scaling_cur_freq: 18446744073709551615\n"
    )
    found = outcome(text, tmp_path)
    assert found.error is None
    assert values(found.metrics) == {
        "scaling_frequency_hertz 1": 8e8,
        "scaling_frequency_hertz 10": 18446744073709551615.0 * 1000.0,
    }


@pytest.mark.parametrize("text", ["<unknown>", "", "-1", "0x10", "1.5", "9" * 30])
def test_a_frequency_that_is_none_costs_only_itself(text: str, tmp_path: Path) -> None:
    found = outcome(
        f"{CPU}/offline:\n"
        f"{CPU}/cpu0/cpufreq/cpuinfo_cur_freq: {text}\n"
        f"{CPU}/cpu0/cpufreq/scaling_min_freq: 400000\n",
        tmp_path,
    )
    assert values(found.metrics) == {"scaling_frequency_min_hertz 0": 4e8}
    assert isinstance(found.error, ValueError)  # success 0, as upstream
    assert "cpu0/cpufreq/cpuinfo_cur_freq: expected" in str(found.error)


def test_a_frequency_that_cannot_be_read_is_absent(tmp_path: Path) -> None:
    directory = tmp_path / CPU / "cpu0/cpufreq"
    directory.mkdir(parents=True)
    (directory / "cpuinfo_avg_freq").symlink_to("/proc/self/mem")  # EIO
    text = f"{CPU}/offline:\n{CPU}/cpu0/cpufreq/scaling_max_freq: 1\n"
    found = outcome(text, tmp_path)
    assert found.error is None
    assert values(found.metrics) == {"scaling_frequency_max_hertz 0": 1000}


@pytest.mark.parametrize(
    ("governor", "available", "expected"),
    [
        ("b", "a b c", {"a": 0, "b": 1, "c": 0}),
        ("userspace", "", {"": 0}),
        ("", "a", {}),
        ("a", None, {}),
        (None, "a", {}),
    ],
)
def test_governors(
    governor: str | None, available: str | None, expected: dict[str, float]
) -> None:
    files = {reading.GOVERNOR: governor, reading.GOVERNORS: available}
    texts = {file: text for file, text in files.items() if text is not None}
    family = cpufreq.governors_family({"/sys/cpu7": texts})
    assert {s.labels["governor"]: s.value for s in family.samples} == expected
    assert all(s.labels["cpu"] == "7" for s in family.samples)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"{CPU}/cpu0/cpufreq/scaling_cur_freq: 1\n", "offline"),
        (f"{CPU}/offline:\n", "could not find any CPU"),
        (f"{CPU}/offline: x-y\n{CPU}/cpu0/x: 1\n", "offline: invalid cpu range: x-y"),
    ],
)
def test_hosts_on_which_upstream_fails_too(
    text: str, error: str, tmp_path: Path
) -> None:
    found = outcome(text, tmp_path)
    assert isinstance(found.error, OSError | ValueError)
    assert error in str(found.error)


def test_cpus_that_make_us_wait_are_read_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = threading.Barrier(3, timeout=10)

    def read(cpu: str) -> Mapping[str, str]:
        if cpu != "cpu0":
            together.wait()
        return {"scaling_cur_freq": cpu}

    monkeypatch.setattr(reading, "_read", read)
    monkeypatch.setattr(reading, "_QUICK_SECONDS", 0)
    found = reading.Reader().read(["cpu0", "cpu1", "cpu2", "cpu3"], 10)
    assert found == {f"cpu{n}": {"scaling_cur_freq": f"cpu{n}"} for n in range(4)}


def test_quick_cpus_take_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()

    def read(cpu: str) -> Mapping[str, str]:
        threads.add(threading.get_ident())
        if cpu == "cpu1":
            raise FileNotFoundError(cpu)
        return {}

    monkeypatch.setattr(reading, "_read", read)
    monkeypatch.setattr(reading, "_QUICK_SECONDS", 60)
    assert set(reading.Reader().read(["cpu0", "cpu1", "cpu2"], 10)) == {"cpu0", "cpu2"}
    assert threads == {threading.get_ident()}


ONLY = "--collector.disable-defaults"
HOST = (
    "proc/stat: |\n    cpu0 1 2 3 4 5 6 7 8 9 10\n"
    "proc/cpuinfo: |\n    processor : 0\n    cpu MHz : 1800.5\n"
    f"sys/{CPU}/offline:\n"
    f"sys/{CPU}/cpu0/cpufreq/cpuinfo_cur_freq: 1700000\n"
)


@pytest.mark.parametrize(
    ("argv", "frequency"),
    [
        ("", 1.7e9),
        ("--collector.cpu.info", 1.8005e9),
        ("--collector.cpu.info.flags-include=x", 1.8005e9),
        ("--collector.cpu.info.bugs-include=x", 1.8005e9),
        ("--collector.cpu.info --no-collector.cpufreq", None),
        ("--collector.cpu.info --no-collector.cpu", 1.7e9),
        (f"{ONLY} --collector.cpu --collector.cpu.info", None),
        (f"{ONLY} --collector.cpufreq --collector.cpu.info", 1.7e9),
        (f"{ONLY} --collector.cpufreq --collector.cpu --collector.cpu.info", 1.8005e9),
    ],
)
def test_the_frequency_has_one_source(
    argv: str,
    frequency: float | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    tree.plant(HOST, tmp_path)
    specs = [spec for spec in discover() if spec.name in {"cpu", "cpufreq"}]
    parsed = Program("node_exporter", "", flags(specs)).parse(argv.split(), {})
    where = Paths(procfs=f"{tmp_path}/proc", sysfs=f"{tmp_path}/sys")
    registry = Registry(specs, Context(where, parsed))
    samples = [
        sample.value
        for collect in registry.enabled.values()
        for family in collect()
        for sample in family.samples
        if sample.name == "node_cpu_frequency_hertz"
    ]
    assert samples == ([] if frequency is None else [frequency])
