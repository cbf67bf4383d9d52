from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.node.collectors import conntrack
from exporters.node.paths import Paths
from exporters.node.registry import Context, NoData
from exporters.toolkit.flags import Program


HEADER = b"entries searched found new invalid ignore\n"


def row(*numbers: int) -> bytes:
    return b" ".join(b"%08x" % number for number in numbers) + b"\n"


def test_parse_sums_over_the_cpus() -> None:
    data = HEADER + row(*range(17)) + row(*range(100, 117))
    assert conntrack.parse(data) == {
        "found": 104,
        "invalid": 108,
        "ignore": 110,
        "insert": 116,
        "insert_failed": 118,
        "drop": 120,
        "early_drop": 122,
        "search_restart": 132,
    }


def test_parse_takes_the_sixteen_columns_of_old_kernels() -> None:
    assert conntrack.parse(HEADER + row(*range(16)))["search_restart"] == 0


@pytest.mark.parametrize(
    "line",
    [row(*range(15)), row(*range(18)), b"g " * 17, b"-1 " * 17, b"0x1 " * 17],
)
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        conntrack.parse(HEADER + line)


@pytest.mark.parametrize(
    ("missing", "families"),
    [
        ("sys/net/netfilter/nf_conntrack_count", 0),
        ("sys/net/netfilter/nf_conntrack_max", 1),
        ("net/stat/nf_conntrack", 2),
    ],
)
def test_what_is_not_loaded_is_no_data_after_what_there_is(
    missing: str, families: int, paths: Paths, tmp_path: Path
) -> None:
    proc = tmp_path / "proc"
    shutil.copytree(paths.procfs, proc)
    (proc / missing).unlink()
    values = Program("node_exporter", "", ()).parse((), {})
    context = Context(replace(paths, procfs=str(proc)), values)
    collected = iter(conntrack.create(context)())
    assert len(list(itertools.islice(collected, families))) == families
    with pytest.raises(NoData, match=missing):
        next(collected)
