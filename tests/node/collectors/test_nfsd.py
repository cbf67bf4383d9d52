from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import nfsd
from exporters.node.registry import NoData
from tests.node.hosts import collect


def test_no_server_is_no_data(tmp_path: Path) -> None:
    assert isinstance(collect(nfsd.COLLECTOR, "", tmp_path).error, NoData)


@pytest.mark.parametrize(("count", "last"), [(39, 0), (40, 40), (76, 40)])
def test_operations_by_their_numbers(count: int, last: int, tmp_path: Path) -> None:
    numbers = " ".join(str(n) for n in range(1, count + 1))
    host = f"proc/net/rpc/nfsd: proc4ops {count} {numbers}"
    seen = collect(nfsd.COLLECTOR, host, tmp_path)
    assert seen.error is None

    def operation(name: str) -> float:
        return seen.values[f'node_nfsd_requests_total{{proto="4",method="{name}"}}']

    assert operation("Access") == 4
    assert operation("Write") == 39
    assert operation("RelLockOwner") == last
    assert operation("WdelegGetattr") == 0


@pytest.mark.parametrize(
    "line", ["th 8", "rc 0 6", "proc4 3 1 2 3", "proc4ops 2 1 2", "io 1 x"]
)
def test_refused(line: str, tmp_path: Path) -> None:
    seen = collect(nfsd.COLLECTOR, f"proc/net/rpc/nfsd: {line}", tmp_path)
    assert isinstance(seen.error, ValueError)
    assert seen.values == {}
