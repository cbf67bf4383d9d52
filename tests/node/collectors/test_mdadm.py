from __future__ import annotations

import re
from pathlib import Path

import pytest

from exporters.node import calls
from exporters.node.collectors import mdadm
from exporters.node.registry import Context, NoData
from exporters.toolkit.flags import Program
from tests.node import golden
from tests.node.conftest import Run


TWO_ARRAYS_ONE_ODD = """
proc/mdstat: |
    Personalities : [raid1]
    md0 : active raid1 super non-persistent [2/0] [__]

    md1 : active raid1 sdb1[1] sda1[0]
          976630464 blocks super 1.2 [2/2] [UU]

    unused devices: <none>
sys/block/md1/md/level: raid1
sys/block/md1/md/raid_disks: 2
sys/block/md1/md/degraded: many
sys/block/md2/md/level: raid5
sys/block/md2/md/raid_disks: 3
sys/block/md2/md/degraded: 1
"""


def test_an_odd_array_costs_only_itself(tmp_path: Path) -> None:
    where = golden.planted(TWO_ARRAYS_ONE_ODD, tmp_path)
    collect = mdadm.create(Context(where, Program("", "", ()).parse((), {})))
    outcome = calls.run(collect)
    found = {
        (sample.name, sample.labels["device"])
        for metric in outcome.metrics
        for sample in metric.samples
    }
    assert ("node_md_blocks", "md1") in found
    assert ("node_md_degraded", "md2") in found
    assert ("node_md_blocks", "md0") not in found
    assert ("node_md_degraded", "md1") not in found
    assert str(outcome.error) == (
        f"{where.procfs}/mdstat:2: expected a line with the number of blocks, got none;"
        f" {where.sysfs}/block/md1/md/degraded:"
        " expected an unsigned integer of 64 bits, got 'many'"
    )


def test_no_mdstat_is_no_data(run: Run, tmp_path: Path) -> None:
    where = golden.planted("sys/block/md0/md/level: raid1\n", tmp_path)
    with pytest.raises(NoData, match=re.escape(f"{where.procfs}/mdstat does not")):
        run(mdadm.COLLECTOR, where=where)


@pytest.mark.parametrize(
    ("text", "disks"),
    [("4", 4), ("11 (10)", 11), ("", None), ("new", None), ("-1", None), ("x 4", None)],
)
def test_raid_disks(text: str, disks: int | None) -> None:
    assert mdadm.parse_raid_disks(text) == disks
