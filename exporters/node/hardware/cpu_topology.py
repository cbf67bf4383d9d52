"""CPUs in sysfs: online, isolated, throttled (procfs sysfs/system_cpu.go)."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from exporters.node import sysfs
from exporters.node.paths import Paths


log = logging.getLogger(__name__)

_CPU_DIRECTORY = re.compile(r"cpu[0-9].*")
_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_LARGEST_CPU = 0xFFFF  # upstream counts them in 16 bits


class Throttles(NamedTuple):
    """How often what was throttled: by package, and by (package, core)."""

    packages: dict[int, int]
    cores: dict[tuple[int, int], int]


def read_directories(paths: Paths) -> list[str]:
    """Return the directory of each CPU that the host has, online or not.

    An unreadable or missing parent gives none, as Go's filepath.Glob does.
    """
    parent = paths.sys("devices", "system", "cpu")
    try:
        names = os.listdir(parent)
    except OSError:
        return []
    return [
        f"{parent}/{name}" for name in sorted(names) if _CPU_DIRECTORY.fullmatch(name)
    ]


def read_online(directories: Iterable[str]) -> dict[str, bool]:
    """Return whether each CPU is online, by its number as text.

    Nothing at all where the first CPU has no such file: it then cannot be told.
    """
    found: dict[str, bool] = {}
    for directory in directories:
        try:
            is_online = sysfs.read(f"{directory}/online") == "1"
        except FileNotFoundError:
            if not found:
                return {}
            is_online = False
        except OSError:
            is_online = False
        found[os.path.basename(directory).removeprefix("cpu")] = is_online
    return found


def read_throttles(directories: Iterable[str]) -> Throttles:
    """Return the throttle counts, each package and core read once."""
    throttles = Throttles({}, {})
    for directory in directories:
        package = _count(directory, "topology/physical_package_id")
        core = _count(directory, "topology/core_id")
        if package is None or core is None:
            continue
        # Core first: an Intel Xeon E5472 with RHEL 6.9 has no package counts.
        if (package, core) not in throttles.cores:
            count = _count(directory, "thermal_throttle/core_throttle_count")
            if count is not None:
                throttles.cores[package, core] = count
        if package not in throttles.packages:
            count = _count(directory, "thermal_throttle/package_throttle_count")
            if count is not None:
                throttles.packages[package] = count
    return throttles


def _count(directory: str, name: str) -> int | None:
    try:
        return sysfs.read_unsigned(f"{directory}/{name}")
    except (OSError, ValueError):
        log.debug("CPU is missing %s", os.path.basename(name), extra=_fields(directory))
        return None


def _fields(directory: str) -> dict[str, object]:
    return {"fields": {"cpu": directory}}


def parse_cpu_list(text: str) -> list[int]:
    """Return the CPUs of a list such as ``1,4-6`` (cpulist_parse in the kernel).

    Raises ValueError.
    """
    cpus: list[int] = []
    for part in text.strip().split(","):
        if not part:
            continue
        found = _RANGE.fullmatch(part)
        if found is None:
            raise ValueError(f"invalid cpu range: {part}")
        first, last = int(found[1]), int(found[2] or found[1])
        if max(first, last) > _LARGEST_CPU:
            raise ValueError(f"invalid cpu range: {part}")
        cpus.extend(range(first, last + 1))
    return cpus
