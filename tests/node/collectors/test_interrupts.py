from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import interrupts
from exporters.node.collectors.interrupts import Interrupt
from exporters.toolkit.errors import StartError
from tests.node.hosts import collect


HEADING = b"      CPU0  CPU2\n"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b" 24: 1 2 GIC 7-edge  eth0, eth1", ("24", "GIC", "7-edge eth0, eth1")),
        (b" 24: 1 2 GIC", ("24", "GIC", "")),
        (b"NMI: 1 2 Non-maskable interrupts", ("NMI", "Non-maskable interrupts", "")),
        (b"IPI0:1 2 a:b", ("IPI0", "a:b", "")),
    ],
)
def test_parse(line: bytes, found: tuple[str, str, str]) -> None:
    assert interrupts.parse(HEADING + line) == [Interrupt(*found, [b"1", b"2"])]


@pytest.mark.parametrize("line", [b"ERR: 0", b" 24: 1 2", b"no colon", b"", b":"])
def test_parse_leaves_out(line: bytes) -> None:
    assert interrupts.parse(HEADING + line) == []


def test_the_last_line_of_a_name_counts() -> None:
    (found,) = interrupts.parse(HEADING + b"1: 1 2 a\n1: 3 4 b\n")
    assert found.info == "b"


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a line with the CPUs"):
        interrupts.parse(b"")


HOST = (
    "proc/interrupts: |\n    CPU0 CPU1\n    7: 0 5 GIC eth0\n    8: x 1 GIC sda\n"
    "    LOC: 0 0 Local\n"
)


def test_a_bad_count_costs_only_its_line(tmp_path: Path) -> None:
    seen = collect(interrupts.COLLECTOR, HOST, tmp_path)
    assert list(seen.values.values()) == [0, 5, 0, 0]
    assert "interrupts: 8: expected a number, got b'x'" in str(seen.error)


@pytest.mark.parametrize(
    ("flags", "counts"),
    [
        (["name-exclude=^8;"], [0, 5, 0, 0]),
        (["name-include=^7;GIC;eth0$"], [0, 5]),
        (["name-include=^7", "name-exclude=eth"], []),
    ],
)
def test_filters(flags: list[str], counts: list[float], tmp_path: Path) -> None:
    argv = [f"--collector.interrupts.{flag}" for flag in flags]
    seen = collect(interrupts.COLLECTOR, HOST, tmp_path, *argv)
    assert seen.error is None
    assert list(seen.values.values()) == counts


def test_without_zeros(tmp_path: Path) -> None:
    argv = ["--no-collector.interrupts.include-zeros"]
    seen = collect(interrupts.COLLECTOR, HOST.replace("x", "0"), tmp_path, *argv)
    assert list(seen.values.values()) == [5, 1]


def test_a_bad_pattern_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="missing closing"):
        collect(
            interrupts.COLLECTOR, "", tmp_path, "--collector.interrupts.name-include=("
        )
