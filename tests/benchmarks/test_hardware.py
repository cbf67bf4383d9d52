"""The many devices: what is written for them, and that both programs see them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import devices, hardware, programs
from benchmarks.hardware import Devices
from benchmarks.measure import Plan
from benchmarks.part import Setting
from benchmarks.process import LeftOutError
from exporters.node.storage.diskstats import COLUMNS, parse


@pytest.mark.parametrize(
    ("number", "name"), [(0, "sda"), (25, "sdz"), (26, "sdaa"), (63, "sdbl")]
)
def test_disks_are_named_as_the_kernel_does(number: int, name: str) -> None:
    assert hardware.disk_name(number) == name


def test_every_disk_has_all_columns() -> None:
    disks = list(parse("".join(hardware.disk_lines(range(64))).encode()))
    assert [disk.name for disk in disks[:3]] == ["sda", "sdb", "sdc"]
    assert len({(disk.major, disk.minor) for disk in disks}) == 64
    assert {len(disk.values) for disk in disks} == {len(COLUMNS)}


def test_interfaces_are_made_and_put_up() -> None:
    assert list(hardware.link_lines(range(3, 4), "dummy")) == [
        "link add bench3 type dummy\nlink set bench3 up\n"
    ]


def test_a_share_has_at_least_one_of_each() -> None:
    assert Devices(200, 500, 64).share(0.25) == Devices(50, 125, 16)
    assert Devices(200, 500, 64).share(0.001) == Devices(1, 1, 1)
    assert str(Devices(1, 2, 3)) == "1 interfaces, 2 mounts, 3 disks"


def test_without_root_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LeftOutError, match="expected root"):
        list(devices.sections(Setting(programs.interpreter(), Plan(), Path())))


def test_a_host_that_makes_none_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    refused = (sys.executable, "-c", "raise SystemExit('not permitted')")
    monkeypatch.setattr(devices, "UNSHARE", refused)
    with pytest.raises(LeftOutError, match=r"no namespaces here: .*: not permitted"):
        list(devices.sections(Setting(programs.interpreter(), Plan(), Path())))


def test_nothing_is_made_outside_of_own_namespaces(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(devices, "UNSHARE", ("env",))
    setting = Setting(programs.interpreter(), Plan(), tmp_path)
    with pytest.raises(LeftOutError, match="process 1 of namespaces of its own"):
        devices.in_namespaces(setting, "/bin/true", Devices(1, 1, 1), tmp_path)


def test_a_command_that_fails_says_why() -> None:
    failing = ("python3", "-c", "raise SystemExit('one\\ntwo')")
    with pytest.raises(LeftOutError, match=r"SystemExit.*: one \| two$"):
        hardware.run(*failing)
    with pytest.raises(LeftOutError, match="nonexistent-program: No such file"):
        hardware.run("nonexistent-program")


@pytest.mark.oracle
def test_both_programs_see_the_devices(tmp_path: Path) -> None:
    theirs = os.environ.get("NODE_EXPORTER", "")
    if not os.access(theirs, os.X_OK):
        pytest.skip("$NODE_EXPORTER names no program: `make unit` sets it")
    if (
        os.geteuid()
        or subprocess.run([*devices.UNSHARE, "true"], check=False).returncode
    ):
        pytest.skip("namespaces need root")
    setting = Setting(programs.interpreter(), Plan(scrapes=3, rounds=3), tmp_path)
    some = Devices(interfaces=8, mounts=12, disks=4)
    kind, rows = devices.in_namespaces(setting, theirs, some, tmp_path)
    assert kind in hardware.KINDS
    found = {row.title: row for row in rows}
    assert {"growth per device", "CPU per scrape, gzip"} <= set(found)
    # An interface has 30 samples and more, a disk 18, a mount 7.
    least = 8 * 30 + 4 * 18 + 12 * 7
    assert min(found["samples"].ours, found["samples"].original) > least
    # Nothing of it is seen outside.
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    assert not list(Path("/sys/class/net").glob("bench*"))
