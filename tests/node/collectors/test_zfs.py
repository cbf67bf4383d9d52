from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import zfs
from exporters.node.registry import NoData
from tests.node.storage.storage_host import samples, scrape


def kstat(path: str, *rows: str) -> str:
    lines = ["1 1 0x01 2 3 4 5", "name type data", *rows]
    return f"proc/spl/kstat/zfs/{path}: |\n" + "".join(
        f"    {line}\n" for line in lines
    )


def test_without_zfs_there_is_no_data(tmp_path: Path) -> None:
    outcome = scrape(zfs.COLLECTOR, tmp_path, "")
    assert isinstance(outcome.error, NoData)
    assert "spl/kstat/zfs: No such file or directory" in str(outcome.error)


def test_without_pools_and_files_all_is_well(tmp_path: Path) -> None:
    outcome = scrape(zfs.COLLECTOR, tmp_path, "proc/spl/kstat/zfs/\n")
    assert (outcome.metrics, outcome.error) == ((), None)


def test_names_follow_the_kstat(tmp_path: Path) -> None:
    text = kstat("vdev_cache_stats", "a-b 4 1", "c.d 3 -2") + kstat(
        "tx_history", "e 4 1"
    )
    outcome = scrape(zfs.COLLECTOR, tmp_path, text)
    about = [(f.name, f.type, f.documentation) for f in outcome.metrics]
    assert about == [
        (
            "node_zfs_vdev_cache_a_b",
            "unknown",
            "kstat.zfs.misc.vdev_cache_stats.a-b",
        ),
        ("node_zfs_vdev_cache_d", "unknown", "kstat.zfs.misc.vdev_cache_stats.c.d"),
    ]


def test_one_bad_file_costs_itself_and_the_success(tmp_path: Path) -> None:
    text = (
        kstat("arcstats", "hits 4 x")
        + kstat("zil", "commits 4 7")
        + kstat("tank/objset-1", "dataset_name 7 tank", "reads 4 -1")
        + kstat("tank/objset-2", "dataset_name 7 tank/a b", "reads 4 3")
        + "proc/spl/kstat/zfs/tank/state: DEGRADED\n"
        + "proc/spl/kstat/zfs/gone/io:\n"
    )
    outcome = scrape(zfs.COLLECTOR, tmp_path, text)
    found = samples(outcome, "node_zfs_")
    states = {key[2] for key, on in found.items() if key[0] == "zpool_state" and on}
    assert states == {"degraded"}
    assert found["zil_commits",] == 7
    assert found["zpool_dataset_reads", "tank", "tank/a b"] == 3
    assert len(found) == 2 + 7
    assert "zfs/arcstats: hits: expected an unsigned" in str(outcome.error)


@pytest.mark.parametrize(("text", "on"), [("SUSPENDED", 1), ("suspended ", 0), ("", 0)])
def test_states(text: str, on: int, tmp_path: Path) -> None:
    outcome = scrape(zfs.COLLECTOR, tmp_path, f"proc/spl/kstat/zfs/p/state: {text}\n")
    assert sum(samples(outcome, "").values()) == on
    assert len(samples(outcome, "")) == 7
