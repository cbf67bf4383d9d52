from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import slabinfo
from exporters.toolkit.errors import StartError
from tests.node.hosts import collect


REST = b" 1 2 3 4 5 : tunables 6 7 8 : slabdata 9 10 11"


@pytest.mark.parametrize("name", [b"dentry", b"kmalloc-64", b"my cache"])
def test_parse(name: bytes) -> None:
    data = b"slabinfo - version: 2.1\n# name  <active_objs>\n" + name + REST
    assert slabinfo.parse(data) == [(name.decode(), [1, 2, 3, 4, 5])]


@pytest.mark.parametrize("line", [REST, b"a 1 2 3", b"a x" + REST[2:]])
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="slabinfo:1: expected"):
        slabinfo.parse(line)


@pytest.mark.parametrize(
    ("flags", "slabs"),
    [
        ([], "abc"),
        (["slabs-include=a|c"], "ac"),
        (["slabs-exclude=a|c"], "b"),
        (["slabs-include=a|c", "slabs-exclude=c"], "a"),
    ],
)
def test_filters(flags: list[str], slabs: str, tmp_path: Path) -> None:
    host = "proc/slabinfo: |\n" + "".join(f"    {s}{REST.decode()}\n" for s in "abc")
    argv = [f"--collector.slabinfo.{flag}" for flag in flags]
    seen = collect(slabinfo.COLLECTOR, host, tmp_path, *argv)
    name = "node_slabinfo_objects{"
    found = [key for key in seen.values if key.startswith(name)]
    assert found == [f'{name}slab="{slab}"}}' for slab in slabs]


def test_a_bad_pattern_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="missing closing"):
        collect(
            slabinfo.COLLECTOR, "", tmp_path, "--collector.slabinfo.slabs-exclude=("
        )
