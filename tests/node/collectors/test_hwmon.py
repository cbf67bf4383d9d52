from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node import calls
from exporters.node.collectors import hwmon
from exporters.node.families import Families
from exporters.node.hardware.hwmon import TYPES
from exporters.node.paths import Paths
from exporters.node.registry import Context, NoData
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Program
from tests.node import tree
from tests.node.conftest import Run


def samples(type_: str, values: dict[str, str]) -> dict[str, float]:
    families = Families()
    hwmon.add_sensor(families, {"chip": "c", "sensor": "s"}, type_, values)
    return {
        f"{s.name.removeprefix('node_hwmon_')} {s.labels['sensor']}": s.value
        for family in families
        for s in family.samples
    }


@pytest.mark.parametrize(
    ("type_", "values", "expected"),
    [
        ("temp", {"input": "45123"}, {"temp_celsius s": 45.123}),
        ("temp", {"input": "x", "max": "", "crit": "1e400"}, {}),
        ("temp", {"input": " 1", "max": "1 0", "crit": "0x10"}, {}),
        ("temp", {"input": "-273150"}, {"temp_celsius s": -273150 * 0.001}),
        ("in", {"input": "0003"}, {"in_volts s": 0.003}),
        ("fan", {"label": "CPU"}, {"sensor_label s": 1}),
        ("beep_enable", {"": "1"}, {"beep_enabled s": 1}),
        ("beep_enable", {"": "yes"}, {"beep_enabled s": 0}),
        ("beep_enable", {"x": "1"}, {"beep_enabled s": 0}),
        ("vrm", {"": "90"}, {"voltage_regulator_version s": 90}),
        ("vrm", {"x": "90"}, {}),
        ("update_interval", {"": "1500"}, {"update_interval_seconds s": 1.5}),
        ("freq", {"input": "1000000"}, {}),
        (
            "freq",
            {"input": "1500000", "label": "S-Clk", "max": "7"},
            {"sensor_label s": 1, "freq_freq_mhz s_clk": 1.5, "freq_max s": 7},
        ),
        ("pwm", {"": "1", "input": "2"}, {"pwm s": 1, "pwm_input s": 2}),
        # Not x / 1000: upstream multiplies, and absolute zero is -273.15000000000003.
        ("curr", {"input": "1009"}, {"curr_amps s": 1009 * 0.001}),
    ],
)
def test_a_sensor(
    type_: str, values: dict[str, str], expected: dict[str, float]
) -> None:
    assert samples(type_, values) == expected


@given(
    st.sampled_from(sorted(TYPES)),
    st.dictionaries(st.sampled_from(["", "input", "label", "x-y"]), st.text()),
)
def test_no_text_of_a_driver_is_too_odd(type_: str, values: dict[str, str]) -> None:
    assert all(isinstance(v, float | int) for v in samples(type_, values).values())


def test_no_class_is_no_data(run: Run, tmp_path: Path) -> None:
    with pytest.raises(NoData, match="class/hwmon does not exist"):
        run(hwmon.COLLECTOR, where=Paths(sysfs=str(tmp_path)))


@pytest.mark.parametrize(
    "flag", ["chip-include", "chip-exclude", "sensor-include", "sensor-exclude"]
)
def test_a_bad_pattern_ends_the_start(flag: str, run: Run) -> None:
    with pytest.raises(StartError, match="error parsing regexp"):
        run(hwmon.COLLECTOR, f"--collector.hwmon.{flag}=(")


def test_a_chip_that_cannot_be_listed_costs_only_itself(tmp_path: Path) -> None:
    tree.plant(
        "class/hwmon/hwmon0/name: a\n"
        "class/hwmon/hwmon0/device: a file\n"
        "class/hwmon/hwmon1/name: b\n"
        "class/hwmon/hwmon1/temp1_input: 1000\n",
        tmp_path,
    )
    program = Program("node_exporter", "", hwmon.COLLECTOR.flags)
    context = Context(Paths(sysfs=str(tmp_path)), program.parse((), {}))
    outcome = calls.run(hwmon.create(context))
    assert isinstance(outcome.error, NotADirectoryError)
    found = [sample for family in outcome.metrics for sample in family.samples]
    assert {sample.labels["chip"] for sample in found} == {"b"}


def test_an_excluded_chip_is_not_read(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.plant("class/hwmon/hwmon0/name: drivetemp\n", tmp_path)

    def wakes_the_disk(_: str) -> None:
        raise AssertionError

    monkeypatch.setattr("exporters.node.hardware.hwmon.read_sensors", wakes_the_disk)
    flag = "--collector.hwmon.chip-exclude=drivetemp"
    assert run(hwmon.COLLECTOR, flag, where=Paths(sysfs=str(tmp_path))) == []
