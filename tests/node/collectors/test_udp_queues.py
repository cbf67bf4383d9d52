from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.node.collectors import udp_queues
from exporters.node.paths import Paths
from exporters.node.registry import NoData
from tests.node.conftest import Run


HEADER = b"  sl  local_address\n"


def test_families(run: Run) -> None:
    (metric,) = run(udp_queues.COLLECTOR)
    seen = {(s.labels["ip"], s.labels["queue"]): s.value for s in metric.samples}
    assert seen == {
        ("v4", "tx"): 0x1C0,
        ("v4", "rx"): 0x300,
        ("v6", "tx"): 0x10,
        ("v6", "rx"): 0xA00,
    }


def test_parse_of_no_sockets() -> None:
    assert udp_queues.parse(HEADER) == (0, 0)


@pytest.mark.parametrize(
    "line", [b"1 2 3", b"a " * 13, b"a " * 4 + b"1:g " + b"a " * 8]
)
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        udp_queues.parse(HEADER + line)


def test_without_ipv6_and_without_both(run: Run, paths: Paths, tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    shutil.copytree(paths.procfs, proc)
    where = replace(paths, procfs=str(proc))
    (proc / "net/udp6").unlink()
    (metric,) = run(udp_queues.COLLECTOR, where=where)
    assert {sample.labels["ip"] for sample in metric.samples} == {"v4"}
    (proc / "net/udp").unlink()
    with pytest.raises(NoData):
        run(udp_queues.COLLECTOR, where=where)
