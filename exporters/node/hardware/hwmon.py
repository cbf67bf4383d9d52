"""Chips of /sys/class/hwmon and what their sensors say (Documentation/hwmon/sysfs-
interface.rst, node_exporter collector/hwmon_linux.go).

hwmonN is numbered by the order in which drivers were loaded. What stays the same is
the device that the chip belongs to, so that names the chip.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from exporters.node import device_files
from exporters.node.storage.mountinfo import label


TYPES = frozenset(
    {
        "beep_enable",
        "cpu",
        "curr",
        "energy",
        "fan",
        "freq",
        "humidity",
        "in",
        "intrusion",
        "power",
        "pwm",
        "temp",
        "update_interval",
        "vrm",
    }
)
"""The sensor types that are exported."""

_UNCLEAN = re.compile(r"[^a-z0-9:_]")
_FILE = re.compile(r"([^0-9]+)([0-9]*)(?:_(.+))?")
_LARGEST_NUMBER = 2**63 - 1
_GONE = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})


class Chip(NamedTuple):
    """A directory of the class: *base* comes from its device, *name* from its driver.

    *name* is None where there is no such file.
    """

    path: str
    base: str
    name: str | None


class File(NamedTuple):
    """What a file's name says: ``temp2_crit`` is (temp, temp2, crit)."""

    type: str
    sensor: str
    element: str


class Sensor(NamedTuple):
    """A sensor's type, and what it has by element; "" is a file without one."""

    type: str
    values: dict[str, str]


def clean_name(text: str) -> str:
    """Return *text* as part of a metric's name, or as the label of a chip."""
    return _UNCLEAN.sub("_", text.lower()).strip("_")


@functools.lru_cache(maxsize=4096)  # the same files at every scrape
def parse_file_name(name: str) -> File | None:
    """Return what *name* says, None where it is no sensor's."""
    found = _FILE.fullmatch(name)
    if found is None or found[1] not in TYPES:
        return None
    number = int(found[2] or 0)
    if number > _LARGEST_NUMBER:
        return None
    return File(found[1], f"{found[1]}{number}", label(found[3] or ""))


def list_chips(path: str) -> list[Chip]:
    """Return the chips below *path*, sorted by directory. Raises OSError."""
    found = (_identify(f"{path}/{name}") for name in sorted(os.listdir(path)))
    return [chip for chip in found if chip is not None and chip.base]


def _identify(path: str) -> Chip | None:
    device, name = "", None
    try:
        with device_files.opened(path) as directory:
            name = device_files.read("name", directory)
        device = _device_name(path)
    except PermissionError:
        pass  # reading its sensors will tell
    except OSError:
        return None  # gone, or no directory
    base = device or clean_name(name or "") or _directory_name(path)
    return Chip(path, base, name)


def _directory_name(path: str) -> str:
    return clean_name(os.path.basename(os.path.realpath(path)))


def _device_name(path: str) -> str:
    try:
        device = _real_path(f"{path}/device")
    except OSError:  # a virtual chip has none
        return ""
    parent, _, name = device.rpartition("/")
    bus, name = clean_name(parent.rpartition("/")[2]), clean_name(name)
    return f"{bus}_{name}" if bus and name else name


def _real_path(path: str) -> str:
    """Return *path* without symbolic links. Raises OSError.

    The kernel has it at hand: os.path.realpath would ask it for each directory.
    """
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:  # this process has no /proc
        return os.path.realpath(path)
    finally:
        os.close(descriptor)


def chip_labels(chips: Sequence[Chip]) -> list[str]:
    """Return what each chip is called, all different.

    Chips of one device are told apart by their drivers' names, or else by hwmonN.
    """
    bases = Counter(chip.base for chip in chips)
    pairs = Counter((chip.base, (chip.name or "").strip()) for chip in chips)
    found: list[str] = []
    for chip in chips:
        driver = (chip.name or "").strip()
        if bases[chip.base] == 1:
            found.append(chip.base)
            continue
        suffix = clean_name(driver)
        if not suffix or pairs[chip.base, driver] > 1:
            suffix = clean_name(os.path.basename(chip.path))
        found.append(f"{chip.base}_{suffix}")
    return found


def read_sensors(path: str) -> dict[str, Sensor]:
    """Return the sensors of the chip at *path* by name.

    Old drivers have their files in the device's directory. Nothing where the chip is
    gone by now. Raises OSError where a directory cannot be listed.
    """
    sensors: dict[str, Sensor] = {}
    with contextlib.ExitStack() as stack:
        try:
            chip = stack.enter_context(device_files.opened(path))
            _read_directory(chip, sensors)
            device = stack.enter_context(device_files.opened("device", chip))
            _read_directory(device, sensors)
        except OSError as error:
            if error.errno not in _GONE:
                raise
    return sensors


def _read_directory(directory: int, sensors: dict[str, Sensor]) -> None:
    for name in sorted(os.listdir(directory)):
        file = parse_file_name(name)
        if file is None:
            continue
        text = device_files.read(name, directory)
        if text is not None:
            sensor = sensors.setdefault(file.sensor, Sensor(file.type, {}))
            sensor.values[file.element] = text.strip("\n")
