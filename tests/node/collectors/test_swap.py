from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from exporters.node import procfs
from exporters.node.collectors import swap
from tests.node.hosts import collect


def test_parse() -> None:
    data = b"Filename Type\n/dev/sda2  partition\t4\t3\t-2\n"
    assert swap.parse(data) == [("/dev/sda2", "partition", 4096, 3072, -2)]


@pytest.mark.parametrize("line", [b"/a file 1 2", b"/a file x 2 3"])
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="swaps:2: expected"):
        swap.parse(b"heading\n" + line)


def test_agrees_with_psutil() -> None:
    swaps = swap.parse(procfs.read("/proc/swaps"))
    assert sum(s.size_bytes for s in swaps) == psutil.swap_memory().total


def test_no_swap_is_no_sample(tmp_path: Path) -> None:
    seen = collect(swap.COLLECTOR, "proc/swaps: Filename Type Size", tmp_path)
    assert seen == ({}, None)
