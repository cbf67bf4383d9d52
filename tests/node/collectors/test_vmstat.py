from __future__ import annotations

import pytest

from exporters.node.collectors import vmstat
from tests.node.conftest import Run


def test_parse() -> None:
    assert vmstat.parse(b"pgpgin 12\nnr_dirty 3\n") == {
        b"pgpgin": 12.0,
        b"nr_dirty": 3.0,
    }


@pytest.mark.parametrize("line", [b"pgpgin", b"pgpgin x"])
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        vmstat.parse(line)


def test_default_fields_are_upstreams_seven(run: Run) -> None:
    metrics = run(vmstat.COLLECTOR)
    assert sorted(metric.name for metric in metrics) == [
        "node_vmstat_oom_kill",
        "node_vmstat_pgfault",
        "node_vmstat_pgmajfault",
        "node_vmstat_pgpgin",
        "node_vmstat_pgpgout",
        "node_vmstat_pswpin",
        "node_vmstat_pswpout",
    ]
    assert {metric.type for metric in metrics} == {"unknown"}


def test_fields_are_an_unanchored_search(run: Run) -> None:
    metrics = run(vmstat.COLLECTOR, "--collector.vmstat.fields=numa_(hit|miss)")
    names = [metric.name for metric in metrics]
    assert names == ["node_vmstat_numa_hit", "node_vmstat_numa_miss"]


def test_lines_that_look_otherwise_are_read_one_by_one() -> None:
    data = b"pgpgin 12\n\nnr_dirty  3 more\npswpin 1e3"
    assert vmstat.parse(data) == {b"pgpgin": 12, b"nr_dirty": 3, b"pswpin": 1000}
    with pytest.raises(ValueError, match="vmstat:2: expected"):
        vmstat.parse(b"pgpgin 12\nnr_dirty\n3 4\n")
