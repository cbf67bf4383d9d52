from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.hardware import hwmon
from exporters.node.hardware.hwmon import Chip, File, Sensor


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("temp1_input", File("temp", "temp1", "input")),
        ("temp012_crit_alarm", File("temp", "temp12", "crit_alarm")),
        ("pwm1", File("pwm", "pwm1", "")),
        ("pwm1_auto_point2_temp", File("pwm", "pwm1", "auto_point2_temp")),
        ("beep_enable", File("beep_enable", "beep_enable0", "")),
        ("update_interval", File("update_interval", "update_interval0", "")),
        ("vrm", File("vrm", "vrm0", "")),
        ("power", File("power", "power0", "")),  # a directory of the device's
        ("in1_min\udcff", File("in", "in1", "min\ufffd")),
        ("in0_", None),
        ("in_input", None),  # "in_input" is no type
        ("temp1input", None),
        ("1_input", None),
        ("name", None),
        ("bogus1_input", None),
        ("temp9223372036854775807_x", File("temp", "temp9223372036854775807", "x")),
        ("temp9223372036854775808_x", None),
        ("", None),
    ],
)
def test_file_names(name: str, expected: File | None) -> None:
    assert hwmon.parse_file_name(name) == expected


@given(st.text(max_size=60) | st.from_regex(r"[a-z_]+[0-9]*(_.*)?", fullmatch=True))
def test_any_file_name_is_a_sensors_or_none(name: str) -> None:
    found = hwmon.parse_file_name(name)
    if found is not None:
        assert found.type in hwmon.TYPES
        assert name.startswith(found.type)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("nct6798\n", "nct6798"),
        ("0000:00:18.3", "0000:00:18_3"),
        ("Core-Temp 1", "core_temp_1"),
        ("__a__b__", "a__b"),
        ("é", ""),
    ],
)
def test_clean_names(text: str, clean: str) -> None:
    assert hwmon.clean_name(text) == clean


def test_labels_of_chips_are_all_different() -> None:
    chips = [
        Chip("/hwmon0", "isa", "one\n"),
        Chip("/hwmon1", "platform_x", "fan"),
        Chip("/hwmon2", "platform_x", "temp\n"),
        Chip("/hwmon3", "platform_y", "same"),
        Chip("/hwmon4", "platform_y", "same"),
        Chip("/hwmon5", "platform_y", None),
        Chip("/hwmon6", "platform_y", "other"),
    ]
    assert hwmon.chip_labels(chips) == [
        "isa",
        "platform_x_fan",
        "platform_x_temp",
        "platform_y_hwmon3",
        "platform_y_hwmon4",
        "platform_y_hwmon5",
        "platform_y_other",
    ]


def test_a_chip_is_named_by_its_device_or_name_or_directory(tmp_path: Path) -> None:
    (tmp_path / "bus/dev.0").mkdir(parents=True)
    (tmp_path / "class").mkdir()
    for number, (device, name) in enumerate(
        [("../../bus/dev.0", "drv"), ("../nothing", "drv"), (None, "-"), (None, None)]
    ):
        chip = tmp_path / f"class/hwmon{number}"
        chip.mkdir()
        if device is not None:
            (chip / "device").symlink_to(device)
        if name is not None:
            (chip / "name").write_text(f"{name}\n")
    (tmp_path / "class/file").touch()
    (tmp_path / "class/dangling").symlink_to("nowhere")
    found = hwmon.list_chips(str(tmp_path / "class"))
    assert [(chip.base, chip.name) for chip in found] == [
        ("bus_dev_0", "drv\n"),
        ("drv", "drv\n"),
        ("hwmon2", "-\n"),
        ("hwmon3", None),
    ]


def test_without_procfs_a_device_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bus/dev").mkdir(parents=True)
    (tmp_path / "class/hwmon0").mkdir(parents=True)
    (tmp_path / "class/hwmon0/device").symlink_to("../../bus/dev")
    readlink = os.readlink

    def hidden(path: str) -> str:
        if str(path).startswith("/proc/"):
            raise FileNotFoundError(path)
        return readlink(path)

    monkeypatch.setattr(os, "readlink", hidden)
    (chip,) = hwmon.list_chips(str(tmp_path / "class"))
    assert chip.base == "bus_dev"


def test_the_device_has_the_last_word_and_a_broken_file_costs_only_itself(
    tmp_path: Path,
) -> None:
    (tmp_path / "device").mkdir()
    (tmp_path / "temp1_input").write_text("1\n")
    (tmp_path / "temp1_max").write_text(" 3\n\n")
    (tmp_path / "temp2_input").symlink_to("/proc/self/mem")  # EIO
    (tmp_path / "device/temp1_input").write_text("2\n")
    (tmp_path / "device/power").mkdir()
    assert hwmon.read_sensors(str(tmp_path)) == {
        "temp1": Sensor("temp", {"input": "2", "max": " 3"})
    }


def test_a_chip_that_is_gone_has_no_sensors(tmp_path: Path) -> None:
    assert hwmon.read_sensors(str(tmp_path / "hwmon0")) == {}


def test_each_directory_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "device").mkdir()
    for number in range(20):
        (tmp_path / f"in{number}_input").write_text("1\n")
    listed: list[object] = []
    listdir = os.listdir

    def count(path: int) -> list[str]:
        listed.append(path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", count)
    assert len(hwmon.read_sensors(str(tmp_path))) == 20
    assert len(listed) == 2
