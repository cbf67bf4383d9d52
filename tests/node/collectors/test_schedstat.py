from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import schedstat
from exporters.node.registry import NoData
from tests.node.hosts import collect


@pytest.mark.parametrize(
    ("data", "cpus"),
    [
        (b"", []),
        (b"cpu12 0 0 0 0 0 0 1500000000 250000000 9\n", [("12", 1.5, 0.25, 9)]),
        (b"cpu0 0 0 0 0 0 0 1 2 3 4 5\n", [("0", 1e-9, 2e-9, 3)]),
        (b"domain0 03 0 0 0 0 0 0 1 2 3\n", []),
        (b"cpu0 0 0 0 0 0 0 1 2\n", []),
        (b"cpu0 0 0 0 0 0 0 1 2 99999999999999999999\ncpu1 0 0 0 0 0 0 0 0 1\n",
         [("1", 0, 0, 1)]),
    ],
)  # fmt: skip
def test_parse(data: bytes, cpus: list[tuple[str, float, float, int]]) -> None:
    assert schedstat.parse(data) == cpus


def test_a_kernel_without_it_is_no_data(tmp_path: Path) -> None:
    assert isinstance(collect(schedstat.COLLECTOR, "", tmp_path).error, NoData)
