from __future__ import annotations

import psutil
import pytest

from exporters.node import procfs
from exporters.node.collectors import stat
from tests.node.conftest import Run


DATA = b"""cpu  1 2 3 4
cpu0 1 2 3 4
intr 976134 0 0 1
ctxt 2339852
btime 1795368243
processes 67301
procs_running 2
procs_blocked 1
softirq 544494 1 2 3 4 5 6 7 8 9 10
"""


def test_parse() -> None:
    parsed = stat.parse(DATA)
    assert parsed[:6] == (976134, 2339852, 67301, 1795368243, 2, 1)
    assert parsed.softirqs["hi"] == 1
    assert parsed.softirqs["rcu"] == 10


def test_parse_gives_zero_for_what_is_not_there() -> None:
    assert stat.parse(b"cpu 1\nctxt 5\nbtime\n")[:6] == (0, 5, 0, 0, 0, 0)


@pytest.mark.parametrize("line", [b"ctxt x", b"softirq 1 2 3", b"btime -1"])
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        stat.parse(line)


def test_softirqs_only_when_asked_for(run: Run) -> None:
    assert "node_softirqs" not in {m.name for m in run(stat.COLLECTOR)}
    metrics = {m.name: m for m in run(stat.COLLECTOR, "--collector.stat.softirq")}
    vectors = metrics["node_softirqs"].samples
    assert len(vectors) == 10
    assert {s.labels["vector"]: s.value for s in vectors}["net_rx"] == 24361


def test_agrees_with_psutil() -> None:
    before = psutil.cpu_stats()
    ours = stat.parse(procfs.read("/proc/stat"))
    after = psutil.cpu_stats()
    assert before.ctx_switches <= ours.context_switches <= after.ctx_switches
    assert before.interrupts <= ours.interrupts <= after.interrupts
    assert ours.boot_time_seconds == psutil.boot_time()
