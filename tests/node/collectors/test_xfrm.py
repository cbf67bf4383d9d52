from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import xfrm
from tests.node.hosts import collect


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("InError", "node_xfrm_in_error_packets_total"),
        ("InTmplMismatch", "node_xfrm_in_tmpl_mismatch_packets_total"),
        ("OutBundleCheckError", "node_xfrm_out_bundle_check_error_packets_total"),
    ],
)
def test_metric_name(name: str, metric: str) -> None:
    assert xfrm.metric_name(name) == metric


def test_what_the_file_lacks_is_zero(tmp_path: Path) -> None:
    host = "proc/net/xfrm_stat: |\n    XfrmInNoPols 7\n    XfrmNew 9\n"
    seen = collect(xfrm.COLLECTOR, host, tmp_path)
    assert seen.error is None
    assert len(seen.values) == 28
    assert {n: v for n, v in seen.values.items() if v} == {
        "node_xfrm_in_no_pols_packets_total": 7
    }


@pytest.mark.parametrize("line", ["XfrmInError", "XfrmInError 1 2", "XfrmInError x"])
def test_refused(line: str, tmp_path: Path) -> None:
    seen = collect(xfrm.COLLECTOR, f"proc/net/xfrm_stat: {line}", tmp_path)
    assert "xfrm_stat:1: expected" in str(seen.error)


def test_no_file_is_an_error(tmp_path: Path) -> None:
    seen = collect(xfrm.COLLECTOR, "", tmp_path)
    assert isinstance(seen.error, FileNotFoundError)
