from __future__ import annotations

import os

import psutil
import pytest

from exporters.node import procfs
from exporters.node.collectors import loadavg


@pytest.mark.parametrize(
    ("data", "loads"),
    [
        (b"0.35 1.20 12.07 3/214 60417\n", (0.35, 1.2, 12.07)),
        (b"0 0 0", (0.0, 0.0, 0.0)),
        (b" 1e2\t2  3\n", (100.0, 2.0, 3.0)),
    ],
)
def test_parse(data: bytes, loads: tuple[float, float, float]) -> None:
    assert loadavg.parse(data) == loads


@pytest.mark.parametrize("data", [b"", b"0.1 0.2\n", b"0.1 0.2 high\n", b"1_0 2 3"])
def test_parse_refuses(data: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        loadavg.parse(data)


def test_agrees_with_the_kernel_through_psutil() -> None:
    before = psutil.getloadavg()
    ours = loadavg.parse(procfs.read("/proc/loadavg"))
    after = os.getloadavg()
    for position, value in enumerate(ours):
        around = sorted((before[position], after[position]))
        assert around[0] - 0.01 <= value <= around[1] + 0.01
