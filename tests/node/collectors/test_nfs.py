from __future__ import annotations

from pathlib import Path

from exporters.node.collectors import nfs
from exporters.node.registry import NoData
from tests.node.hosts import collect


def test_no_nfs_is_no_data(tmp_path: Path) -> None:
    seen = collect(nfs.COLLECTOR, "", tmp_path)
    assert isinstance(seen.error, NoData)
    assert seen.values == {}


def test_an_old_kernel_has_fewer_procedures(tmp_path: Path) -> None:
    seen = collect(nfs.COLLECTOR, "proc/net/rpc/nfs: proc4 3 7 8 9", tmp_path)
    assert seen.error is None
    requests = {
        name: value
        for name, value in seen.values.items()
        if name.startswith("node_nfs_requests_total") and value
    }
    assert requests == {
        'node_nfs_requests_total{proto="4",method="Null"}': 7,
        'node_nfs_requests_total{proto="4",method="Read"}': 8,
        'node_nfs_requests_total{proto="4",method="Write"}': 9,
    }
    assert len(seen.values) == 2 + 4 + 18 + 22 + 59


def test_a_bad_line_fails(tmp_path: Path) -> None:
    seen = collect(nfs.COLLECTOR, "proc/net/rpc/nfs: rpc 1 2", tmp_path)
    assert str(seen.error) == "line 1 (rpc): expected at least 3 numbers, got 2"
