from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import bcache
from tests.node.storage.storage_host import samples, scrape


SET = "sys/fs/bcache/0ff1-ce"
BACKING = f"""{SET}/bdev0/writeback_rate_debug: rate: 4.0k/sec
{SET}/bdev0/stats_total/cache_hits: 12
{SET}/bdev0/stats_total/cache_readaheads: 0
"""
CACHE = f"""{SET}/cache0/written: 3.0M
{SET}/cache0/priority_stats: Metadata: 1%
"""


@pytest.mark.parametrize("text", ["", "sys/fs/bcache/register:\n"])
def test_without_bcache_there_is_nothing_and_all_is_well(
    text: str, tmp_path: Path
) -> None:
    outcome = scrape(bcache.COLLECTOR, tmp_path, text)
    assert (outcome.metrics, outcome.error) == ((), None)


def test_what_is_missing_is_0_and_readaheads_of_0_are_not_shown(tmp_path: Path) -> None:
    outcome = scrape(bcache.COLLECTOR, tmp_path, BACKING)
    found = samples(outcome, "node_bcache_")
    assert found["cache_hits_total", "0ff1-ce", "bdev0"] == 12
    assert found["writeback_rate", "0ff1-ce", "bdev0"] == 4096
    assert found["tree_depth", "0ff1-ce"] == 0
    assert ("cache_readaheads_total", "0ff1-ce", "bdev0") not in found
    assert len(found) == 10 + 12
    assert outcome.error is None


def test_priorities_are_expensive_and_read_only_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    key = ("priority_stats_metadata_percent", "0ff1-ce", "cache0")
    found = scrape(bcache.COLLECTOR, tmp_path / "without", CACHE)
    assert key not in samples(found, "node_bcache_")
    (tmp_path / "with").mkdir()
    flag = "--collector.bcache.priorityStats"
    found = scrape(bcache.COLLECTOR, tmp_path / "with", CACHE, flag)
    assert samples(found, "node_bcache_")[key] == 1
    assert samples(found, "node_bcache_")["written_bytes_total", *key[1:]] == 3 << 20


def test_one_bad_device_costs_itself_and_the_success(tmp_path: Path) -> None:
    text = BACKING + CACHE + f"{SET}/bdev1/x: 1\n{SET}/cache0/io_errors: many\n"
    outcome = scrape(bcache.COLLECTOR, tmp_path, text)
    found = samples(outcome, "node_bcache_")
    assert found["writeback_rate", "0ff1-ce", "bdev0"] == 4096
    assert found["dirty_data_bytes", "0ff1-ce", "bdev1"] == 0
    assert not any("cache0" in key for key in found)
    assert isinstance(outcome.error, FileNotFoundError)
    assert outcome.error.filename.endswith("bdev1/writeback_rate_debug")
