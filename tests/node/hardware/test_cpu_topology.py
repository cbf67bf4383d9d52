from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from exporters.node.hardware import cpu_topology
from exporters.node.keeper import Keeper
from exporters.node.paths import Paths


def cpus_of(directories: Iterable[str]) -> cpu_topology.Cpus:
    cpus = cpu_topology.Cpus(Keeper())
    cpus.update(directories)
    return cpus


def test_directories_are_those_of_cpus(paths: Paths) -> None:
    names = [Path(d).name for d in cpu_topology.read_directories(paths)]
    assert names == ["cpu0", "cpu1", "cpu10"]


def test_no_sysfs_gives_no_cpus(tmp_path: Path) -> None:
    assert cpu_topology.read_directories(Paths(sysfs=str(tmp_path))) == []


def test_a_package_is_read_once_and_a_core_too(paths: Paths) -> None:
    found = cpus_of(cpu_topology.read_directories(paths)).throttles()
    assert found.packages == {0: 30}
    assert found.cores == {(0, 0): 10, (0, 1): 11}


def test_online_needs_the_first_cpu_to_say_it(paths: Paths) -> None:
    directories = cpu_topology.read_directories(paths)
    assert cpus_of(directories).online() == {"0": True, "1": False, "10": False}
    assert cpus_of(directories[2:]).online() == {}
    assert cpus_of([]).online() == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", []), ("\n", []), ("3\n", [3]), ("1,4-6,9", [1, 4, 5, 6, 9]), ("5-4", [])],
)
def test_cpu_lists(text: str, expected: list[int]) -> None:
    assert cpu_topology.parse_cpu_list(text) == expected


@pytest.mark.parametrize("text", ["a", "1-2-3", "-1", "1-", "0-99999999999"])
def test_bad_cpu_lists(text: str) -> None:
    with pytest.raises(ValueError, match="invalid cpu range"):
        cpu_topology.parse_cpu_list(text)
