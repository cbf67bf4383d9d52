from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.attributes import Attributes
from exporters.node.hardware import pci
from exporters.node.hardware.pci import Location


IDS = {
    "class": "0x010802",
    "vendor": "0x144d",
    "device": "0xa808",
    "subsystem_vendor": "0x144d",
    "subsystem_device": "0xa801",
    "revision": "0x00",
}
TARGET = "../../../devices/pci0000:00/0000:00:1d.4/0000:3a:00.0"


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("0000:00:1f.2", Location("0000", "00", "1f", "2")),
        ("10000:E1:00.0", Location("10000", "e1", "00", "0")),
        ("0:1:2.3", Location("0000", "01", "02", "3")),
    ],
)
def test_locations(text: str, location: Location) -> None:
    assert pci.parse_location(text) == location


@pytest.mark.parametrize(
    "text", ["", "pci0000:00", "0000:00:1f", "0000:00:1f.2.1", "0000:00:1g.0", "::."]
)
def test_what_is_no_location(text: str) -> None:
    with pytest.raises(ValueError, match="expected segment:bus:device"):
        pci.parse_location(text)


@pytest.mark.parametrize(
    ("text", "speed"),
    [("2.5 GT/s PCIe", 2.5e9), ("16.0 GT/s PCIe", 16e9), ("8 GT/s", 8e9)],
)
def test_speeds(text: str, speed: float) -> None:
    assert pci.parse_speed(text) == speed


@pytest.mark.parametrize("text", ["8.0", "fast GT/s PCIe", "8.0 MT/s", "-1 GT/s"])
def test_what_is_no_speed(text: str) -> None:
    with pytest.raises(ValueError, match="expected 'N GT/s PCIe'"):
        pci.parse_speed(text)


@pytest.mark.parametrize("parse", [pci.parse_location, pci.parse_speed, pci.parse_flag])
@given(text=st.text(max_size=30))
def test_noise_raises_only_value_error(
    parse: Callable[[str], object], text: str
) -> None:
    with contextlib.suppress(ValueError):
        parse(text)


def test_a_device() -> None:
    given_ = {
        **IDS,
        "max_link_speed": "8.0 GT/s PCIe",
        "current_link_speed": "Unknown",
        "current_link_width": "4",
        "numa_node": "-1",
        "sriov_numvfs": "",
        "sriov_drivers_autoprobe": "1",
        "d3cold_allowed": "0",
        "power_state": "D0",
    }
    problems = Attributes()
    device = pci.parse_device(TARGET, given_, problems)
    problems.raise_rejected()
    assert device.location == Location("0000", "3a", "00", "0")
    assert device.parent == Location("0000", "00", "1d", "4")
    assert device.ids == (0x010802, 0x144D, 0xA808, 0x144D, 0xA801, 0)
    assert device.numbers == {
        "max_link_speed": 8e9,
        "current_link_width": 4,
        "numa_node": -1,
        "sriov_drivers_autoprobe": True,
        "d3cold_allowed": False,
    }
    assert device.power_state == "D0"


def test_a_root_bus_is_no_parent() -> None:
    device = pci.parse_device("pci10000:e0/10000:e1:00.0", IDS, Attributes())
    assert device.parent is None
    assert device.location.segment == "10000"


def test_a_number_that_is_none_costs_only_itself() -> None:
    problems = Attributes()
    given_ = {**IDS, "max_link_width": "wide", "numa_node": "1"}
    assert pci.parse_device(TARGET, given_, problems).numbers == {"numa_node": 1}
    with pytest.raises(ValueError, match=r"0000\.3a\.00\.0: max_link_width: expected"):
        problems.raise_rejected()


@pytest.mark.parametrize("file", IDS)
def test_a_device_needs_its_ids(file: str) -> None:
    lacking = {name: text for name, text in IDS.items() if name != file}
    with pytest.raises(ValueError, match=f"cannot read {file}"):
        pci.parse_device(TARGET, lacking, Attributes())
    with pytest.raises(ValueError, match="expected"):
        pci.parse_device(TARGET, {**IDS, file: "-1"}, Attributes())


def test_a_device_that_is_gone_or_bad_costs_only_itself(tmp_path: Path) -> None:
    bus = tmp_path / "bus"
    bus.mkdir()
    for name in ("0000:3a:00.0", "odd"):
        device = tmp_path / "pci0000:00" / name
        device.mkdir(parents=True)
        for file, text in IDS.items():
            (device / file).write_text(f"{text}\n")
        (bus / name).symlink_to(f"../pci0000:00/{name}")
    (bus / "0000:00:00.0").symlink_to("../gone/0000:00:00.0")
    (bus / "file").touch()
    problems = Attributes()
    found = pci.read_devices(str(bus), problems)
    assert [device.location.bus for device in found] == ["3a"]
    with pytest.raises(ValueError, match=r"/bus/odd: expected segment:bus"):
        problems.raise_rejected()
