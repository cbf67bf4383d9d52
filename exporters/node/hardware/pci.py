"""Devices of /sys/bus/pci (procfs sysfs/pci_device.go).

The kernel's side is Documentation/ABI/testing/sysfs-bus-pci.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from exporters.node import device_files, integers
from exporters.node.attributes import Attributes


class Location(NamedTuple):
    """Where a device sits, in hexadecimal digits as lspci shows them."""

    segment: str
    bus: str
    device: str
    function: str


class Ids(NamedTuple):
    """What a device is, by the numbers that its maker got."""

    class_: int
    vendor: int
    device: int
    subsystem_vendor: int
    subsystem_device: int
    revision: int


class Device(NamedTuple):
    """A device; *numbers* by file name, without those that it lacks."""

    location: Location
    parent: Location | None
    ids: Ids
    numbers: Mapping[str, float]
    power_state: str


_LOCATION = re.compile(
    r"([0-9a-f]{1,8}):([0-9a-f]{1,8}):([0-9a-f]{1,8})\.([0-9a-f]{1,8})", re.IGNORECASE
)
# Linux before 4.17 says "8 GT/s"; upstream takes no device of such a host.
_SPEED = re.compile(r"([0-9]+(?:\.[0-9]+)?) GT/s(?: PCIe)?", re.ASCII)
_TRANSFERS = 1e9
_ID_FILES = (
    "class",
    "vendor",
    "device",
    "subsystem_vendor",
    "subsystem_device",
    "revision",
)
_POWER_STATE = "power_state"


def parse_location(text: str) -> Location:
    """Return the location in *text*, such as ``0000:00:1f.2``. Raises ValueError."""
    found = _LOCATION.fullmatch(text)
    if found is None:
        raise ValueError(f"expected segment:bus:device.function, got {text!r}")
    segment, bus, device, function = (int(digits, 16) for digits in found.groups())
    return Location(f"{segment:04x}", f"{bus:02x}", f"{device:02x}", f"{function:x}")


def parse_speed(text: str) -> float:
    """Return the transfers per second of ``8.0 GT/s PCIe``. Raises ValueError."""
    found = _SPEED.fullmatch(text)
    if found is None:
        raise ValueError(f"expected 'N GT/s PCIe', got {text!r}")
    return float(found[1]) * _TRANSFERS


def parse_flag(text: str) -> bool:
    """Return whether *text* is a number but 0. Raises ValueError."""
    return integers.signed_decimal(text) != 0


_NUMBERS: Mapping[str, Callable[[str], float]] = {
    "max_link_speed": parse_speed,
    "max_link_width": integers.signed_decimal,
    "current_link_speed": parse_speed,
    "current_link_width": integers.signed_decimal,
    "numa_node": integers.signed_decimal,
    "sriov_drivers_autoprobe": parse_flag,
    "sriov_numvfs": integers.decimal,
    "sriov_totalvfs": integers.decimal,
    "sriov_vf_total_msix": integers.decimal,
    "d3cold_allowed": parse_flag,
}
_FILES = (*_ID_FILES, *_NUMBERS, _POWER_STATE)


def read_devices(path: str, problems: Attributes) -> list[Device]:
    """Return the devices below *path*, but those that are gone by now.

    What is not understood goes to *problems*: a device, or an optional number of one.
    Raises OSError where *path* cannot be listed.
    """
    devices: list[Device] = []
    for name in sorted(os.listdir(path)):
        place = f"{path}/{name}"
        try:
            target = os.readlink(place)
            given = device_files.read_given(place, _FILES)
        except OSError:
            continue
        try:
            devices.append(parse_device(target, given, problems))
        except ValueError as error:
            problems.reject(f"{place}: {error}")
    return devices


def parse_device(target: str, given: Mapping[str, str], problems: Attributes) -> Device:
    """Return the device whose link points to *target* and that has the files *given*.

    Raises ValueError. A number that is none goes to *problems*.
    """
    location = parse_location(os.path.basename(target))
    numbers: dict[str, float] = {}
    for file, parse in _NUMBERS.items():
        text = given.get(file, "")
        if not text or text.startswith("Unknown"):  # drivers/pci/probe.c
            continue
        try:
            numbers[file] = parse(text)
        except ValueError as error:
            problems.reject(f"{'.'.join(location)}: {file}: {error}")
    return Device(
        location,
        _parent(os.path.basename(os.path.dirname(target))),
        _ids(given),
        numbers,
        given.get(_POWER_STATE, ""),
    )


def _parent(name: str) -> Location | None:
    return None if name.startswith("pci") else parse_location(name)  # a root bus


def _ids(given: Mapping[str, str]) -> Ids:
    lacking = [file for file in _ID_FILES if file not in given]
    if lacking:
        raise ValueError(f"cannot read {', '.join(lacking)}")
    return Ids(*(integers.unsigned(given[file]) for file in _ID_FILES))
