from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import meminfo_numa
from tests.node.hosts import collect


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"Node 3 MemTotal:       7 kB", ("3", "MemTotal", 7168, False)),
        (b"Node 3 Active(anon):   1 kB", ("3", "Active_anon", 1024, False)),
        (b"Node 3 HugePages_Free:     9", ("3", "HugePages_Free", 9, False)),
        (b"Node 3 NewInLinux9:     1 kB", ("3", "NewInLinux9", 1024, False)),
    ],
)
def test_parse(line: bytes, field: tuple[str, str, float, bool]) -> None:
    assert meminfo_numa.parse(b"\n" + line + b"\n") == [field]


@pytest.mark.parametrize(
    "line", [b"Node 0 X:", b"Node 0 X: 1 MB", b"Node 0 X: 1 kB 2", b"Node 0 X: a"]
)
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        meminfo_numa.parse(line)


@pytest.mark.parametrize("line", [b"numa_hit", b"numa_hit 1 2", b"numa_hit x"])
def test_numastat_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        meminfo_numa.parse_numastat(line, "0")


def test_a_bad_node_costs_only_itself(tmp_path: Path) -> None:
    folder = "sys/devices/system/node"
    host = (
        f"{folder}/node0/meminfo: Node 0 MemFree: 1 kB\n"
        f"{folder}/node1/meminfo: Node 1 MemFree: 2 kB\n"
        f"{folder}/node1/numastat: numa_hit 5\n"
        f"{folder}/online: 0-1\n"
    )
    seen = collect(meminfo_numa.COLLECTOR, host, tmp_path)
    assert seen.values == {
        'node_memory_numa_MemFree{node="1"}': 2048,
        'node_memory_numa_numa_hit_total{node="1"}': 5,
    }
    assert isinstance(seen.error, FileNotFoundError)


def test_a_kernel_without_numa_has_no_samples(tmp_path: Path) -> None:
    assert collect(meminfo_numa.COLLECTOR, "", tmp_path) == ({}, None)
