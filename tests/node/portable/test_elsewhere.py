"""Other systems, with what psutil says there."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, NamedTuple

import pytest

from exporters.node.call_pool import STUCK, Stuck
from exporters.node.paths import Paths
from exporters.node.portable import (
    boottime,
    cpu,
    diskstats,
    filesystem,
    loadavg,
    meminfo,
    netdev,
    system,
    uname,
)
from exporters.node.portable.meminfo import Memory
from exporters.node.registry import Context, NoData
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Program


def record(**fields: object) -> Any:
    return namedtuple("record", fields)(**fields)  # noqa: PYI024


def lines(*metrics: Any) -> list[str]:
    text = encode(metrics).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("linux", "linux"),
        ("darwin", "darwin"),
        ("freebsd14", "freebsd"),
        ("openbsd7", "openbsd"),
        ("win32", "win32"),
        ("sunos5", "other"),
    ],
)
def test_system(platform: str, name: str) -> None:
    assert system.current(platform) == name


@pytest.mark.parametrize(
    ("on", "times", "modes"),
    [
        (
            "darwin",
            {"user": 1, "nice": 2, "system": 3, "idle": 4},
            "idle nice system user",
        ),
        (
            "freebsd",
            {"user": 1, "nice": 2, "system": 3, "idle": 4, "irq": 5},
            "idle interrupt nice system user",
        ),
        (
            "win32",
            {"user": 1, "system": 3, "idle": 4, "interrupt": 1, "dpc": 1},
            "idle system user",
        ),
        (
            "linux",
            {"user": 1, "irq": 1, "softirq": 1, "guest": 1, "guest_nice": 1},
            "irq softirq user",
        ),
    ],
)
def test_cpu_modes(on: str, times: dict[str, int], modes: str) -> None:
    family = cpu.family([record(**times), record(**times)], on)
    found = [(s.labels["cpu"], s.labels["mode"]) for s in family.samples]
    assert sorted(found) == [(c, mode) for c in "01" for mode in modes.split()]
    assert {s.value for s in family.samples if s.labels["mode"] == "user"} == {1}


SWAP = record(total=80, used=30, free=50, sin=7, sout=8)
DARWIN = record(total=100, available=45, used=1, free=30, active=9, inactive=5, wired=6)
BSD = record(
    total=100,
    free=40,
    active=9,
    inactive=5,
    buffers=3,
    cached=2,
    wired=6,
)
SAME_ON_BSD = {
    "active_bytes": 9,
    "free_bytes": 40,
    "inactive_bytes": 5,
    "size_bytes": 100,
    "swap_size_bytes": 80,
    "swap_used_bytes": 30,
    "wired_bytes": 6,
}
SWAPPED = {"swapped_in_pages_bytes_total": 7, "swapped_out_pages_bytes_total": 8}
WINDOWS = record(total=100, available=45, used=55, free=45)


@pytest.mark.parametrize(
    ("on", "virtual", "expected"),
    [
        (
            "darwin",
            DARWIN,
            {
                "active_bytes": 9,
                "free_bytes": 40,
                "inactive_bytes": 5,
                "swap_total_bytes": 80,
                "swap_used_bytes": 30,
                "swapped_in_bytes_total": 7,
                "swapped_out_bytes_total": 8,
                "total_bytes": 100,
                "wired_bytes": 6,
            },
        ),
        (
            "freebsd",
            BSD,
            {**SAME_ON_BSD, "buffer_bytes": 3, "cache_bytes": 2},
        ),
        ("openbsd", BSD, {**SAME_ON_BSD, **SWAPPED, "cache_bytes": 2}),
        ("netbsd", BSD, {**SAME_ON_BSD, **SWAPPED}),
        (
            "win32",
            WINDOWS,
            {
                "MemAvailable_bytes": 45,
                "MemTotal_bytes": 100,
                "SwapFree_bytes": 50,
                "SwapTotal_bytes": 80,
            },
        ),
    ],
)
def test_memory_has_the_names_of_its_system(
    on: str, virtual: Any, expected: dict[str, int]
) -> None:
    found = lines(*meminfo.families(Memory(virtual, SWAP), on))
    assert found == [
        f"node_memory_{name} {expected[name]}" for name in sorted(expected)
    ]


def test_memory_has_the_texts_of_its_system() -> None:
    texts = {
        on: encode(meminfo.families(Memory(BSD, SWAP), on)).decode()
        for on in ("freebsd", "openbsd")
    }
    assert "# HELP node_memory_wired_bytes Locked in memory by" in texts["freebsd"]
    assert (
        "# HELP node_memory_wired_bytes Memory information field wired_bytes.\n"
        in texts["openbsd"]
    )
    assert "# TYPE node_memory_swapped_in_pages_bytes_total counter" in texts["openbsd"]


@pytest.mark.parametrize(("on", "dropped"), [("freebsd", True), ("darwin", False)])
def test_netdev_leaves_out_what_is_not_counted(on: str, dropped: bool) -> None:
    names = ("bytes", "packets")
    fields = {f"{n}_{way}": 1 for n in names for way in ("recv", "sent")}
    one = record(**fields, errin=2, errout=3, dropin=4, dropout=0)
    found = netdev.counters(one, on)
    assert ("transmit_dropped" in found) is dropped
    assert (found["receive_errors"], found["transmit_errors"]) == (2, 3)


def test_disks_without_times() -> None:
    disk = record(read_count=1, write_count=2, read_bytes=3, write_bytes=4)
    found = lines(*diskstats.families({"sd0": disk}))
    assert found == [
        'node_disk_read_bytes_total{device="sd0"} 3',
        'node_disk_reads_completed_total{device="sd0"} 1',
        'node_disk_writes_completed_total{device="sd0"} 2',
        'node_disk_written_bytes_total{device="sd0"} 4',
    ]


class Mount(NamedTuple):
    device: str
    mountpoint: str
    fstype: str
    opts: str


def test_file_systems_that_fail_or_hang() -> None:
    usage = {"size_bytes": 10, "free_bytes": 5, "avail_bytes": 4}
    rows: list[tuple[Mount, filesystem.Usage | OSError | Stuck]] = [
        (Mount("C:\\", "C:\\", "NTFS", "rw,fixed"), usage),
        (Mount("D:\\", "D:\\", "CDFS", "ro,cdrom"), OSError(5, "Input/output error")),
        (Mount("nas:/", "/nas", "nfs", "rw"), STUCK),
        (Mount("nas:/", "/nas", "nfs", "rw"), STUCK),
    ]
    found = lines(*filesystem.families(rows))
    c = '{device="C:\\\\",device_error="",fstype="NTFS",mountpoint="C:\\\\"}'
    d = 'device="D:\\\\",device_error="input/output error",fstype="CDFS"'
    nas = '{device="nas:/",device_error="mountpoint timeout",fstype="nfs",'
    assert f"node_filesystem_avail_bytes{c} 4" in found
    assert f"node_filesystem_device_error{c} 0" in found
    assert any(d in line and "readonly" in line and line[-1] == "1" for line in found)
    assert f'node_filesystem_device_error{nas}mountpoint="/nas"}} 1' in found
    assert not [line for line in found if "node_filesystem_files" in line]


@pytest.mark.parametrize(
    ("on", "name", "expected"),
    [
        ("darwin", "pump.example.com", ("pump", "example.com")),
        ("freebsd", "pump", ("pump", "(none)")),
        ("linux", "pump.example.com", ("pump.example.com", "(none)")),
    ],
)
def test_uname_splits_names_as_upstream(
    on: str, name: str, expected: tuple[str, str]
) -> None:
    assert uname.split(name, on) == expected


def test_without_a_load_average(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.getloadavg")
    values = Program("node_exporter", "", ()).parse((), {})
    with pytest.raises(NoData):
        list(loadavg.create(Context(Paths(), values))())


def test_boot_time_has_the_text_of_its_system(monkeypatch: pytest.MonkeyPatch) -> None:
    values = Program("node_exporter", "", ()).parse((), {})
    for on, text in (("linux", "in unixtime"), ("darwin", "including microseconds")):
        monkeypatch.setattr(system, "current", lambda on=on: on)
        (metric,) = boottime.create(Context(Paths(), values))()
        assert text in metric.documentation
