from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import tapestats
from exporters.toolkit.errors import StartError
from tests.node import golden
from tests.node.conftest import Run


def test_only_drives_that_are_not_ignored(run: Run, tmp_path: Path) -> None:
    names = ("nst0", "st0", "st0a", "st0l", "st12", "st3", "xst1")
    tree = "".join(f"sys/class/scsi_tape/{n}/stats/in_flight: 0x1\n" for n in names)
    flag = "--collector.tapestats.ignored-devices=3"
    families = run(tapestats.COLLECTOR, flag, where=golden.planted(tree, tmp_path))
    (now,) = [family for family in families if family.name == "node_tape_io_now"]
    assert {s.labels["device"]: s.value for s in now.samples} == {"st0": 1, "st12": 1}


def test_a_bad_pattern_ends_the_start(run: Run) -> None:
    with pytest.raises(StartError, match="missing closing"):
        run(tapestats.COLLECTOR, "--collector.tapestats.ignored-devices=(")
