"""CPUs in sysfs: online, isolated, throttled (procfs sysfs/system_cpu.go)."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.keeper import Keeper
from exporters.node.kept_file import KeptFile
from exporters.node.paths import Paths


log = logging.getLogger(__name__)

_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_CORE_COUNT = "thermal_throttle/core_throttle_count"
_PACKAGE_COUNT = "thermal_throttle/package_throttle_count"
_FILES = (
    "online",
    "topology/physical_package_id",
    "topology/core_id",
    _CORE_COUNT,
    _PACKAGE_COUNT,
)
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
        f"{parent}/{name}"
        for name in sorted(names)
        if name.startswith("cpu") and "0" <= name[3:4] <= "9"
    ]


class Cpus:
    """What each CPU has in sysfs, in files that are kept open between scrapes."""

    def __init__(self, keeper: Keeper) -> None:
        """Read as far as *keeper* lets anything be kept."""
        self._keeper = keeper
        self._files: dict[str, Mapping[str, KeptFile]] = {}

    def update(self, directories: Iterable[str]) -> None:
        """Take the *directories* of the CPUs that there are; the others are closed."""
        known = self._files
        self._files = {d: known.get(d) or self._open(d) for d in directories}

    def _open(self, directory: str) -> Mapping[str, KeptFile]:
        return {n: KeptFile(f"{directory}/{n}", self._keeper) for n in _FILES}

    def online(self) -> dict[str, bool]:
        """Return whether each CPU is online, by its number as text.

        Nothing at all where the first CPU has no such file: it then cannot be told.
        """
        found: dict[str, bool] = {}
        for directory, files in self._files.items():
            try:
                is_online = files["online"].read().strip() == b"1"
            except FileNotFoundError:
                if not found:
                    return {}
                is_online = False
            except OSError:
                is_online = False
            found[os.path.basename(directory).removeprefix("cpu")] = is_online
        return found

    def throttles(self) -> Throttles:
        """Return the throttle counts, each package and core read once."""
        throttles = Throttles({}, {})
        for directory, files in self._files.items():
            package = _count(directory, files, "topology/physical_package_id")
            core = _count(directory, files, "topology/core_id")
            if package is None or core is None:
                continue
            # Core first: an Intel Xeon E5472 with RHEL 6.9 has no package counts.
            if (package, core) not in throttles.cores:
                count = _count(directory, files, _CORE_COUNT)
                if count is not None:
                    throttles.cores[package, core] = count
            if package not in throttles.packages:
                count = _count(directory, files, _PACKAGE_COUNT)
                if count is not None:
                    throttles.packages[package] = count
        return throttles


def _count(directory: str, files: Mapping[str, KeptFile], name: str) -> int | None:
    try:
        return procfs.parse_uint(files[name].read())
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
