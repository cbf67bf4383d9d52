from __future__ import annotations

import psutil
import pytest

from exporters.node import procfs
from exporters.node.collectors import meminfo
from exporters.node.paths import Paths


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"MemTotal:       24684084 kB\n", ("MemTotal_bytes", 24684084 * 1024)),
        (b"Active(anon):       1580 kB\n", ("Active_anon_bytes", 1580 * 1024)),
        (b"HugePages_Total:       7\n", ("HugePages_Total", 7)),
        (b"Hugepagesize:       2048 kB", ("Hugepagesize_bytes", 2097152)),
        (b"Some-thing:  1 kB", ("Some_thing_bytes", 1024)),
        (b"VmallocTotal: 34359738367 kB", ("VmallocTotal_bytes", 35184372087808)),
    ],
)
def test_parse(line: bytes, field: tuple[str, int]) -> None:
    assert list(meminfo.parse(line).items()) == [field]


@pytest.mark.parametrize(
    "line",
    [
        b"MemTotal",
        b"MemTotal: kB",
        b"MemTotal: 1 MB",
        b"MemTotal: 1 kB 2",
        b": 1 kB",
        b"MemTotal:",
        b"MemTotal: -1 kB",
    ],
)
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        meminfo.parse(b"MemFree: 1 kB\n" + line)


def test_every_field_of_the_kernel_is_exported(paths: Paths) -> None:
    data = procfs.read(paths.proc("meminfo"))
    assert len(meminfo.parse(data)) == data.count(b"\n") == 54


def test_agrees_with_psutil() -> None:
    ours = meminfo.parse(procfs.read("/proc/meminfo"))
    theirs = psutil.virtual_memory()
    assert ours["MemTotal_bytes"] == theirs.total
    assert ours["SwapTotal_bytes"] == psutil.swap_memory().total


def test_a_line_that_looks_otherwise_spoils_no_other() -> None:
    data = b"MemFree:  1 kB\n MemTotal : 2\nActive(anon): 3 kB\n"
    assert list(meminfo.parse(data).items()) == [
        ("MemFree_bytes", 1024),
        ("MemTotal", 2),
        ("Active_anon_bytes", 3072),
    ]
