from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import bcachefs
from exporters.node.registry import NoData
from tests.node.storage.storage_host import samples, scrape


FS = "sys/fs/bcachefs/d15c"
DEVICE = f"""{FS}/dev-2/label: ssd
{FS}/dev-2/state: [rw] ro
{FS}/dev-2/bucket_size: 512k
{FS}/dev-2/nbuckets: 9
{FS}/dev-2/durability: 1
"""


@pytest.mark.parametrize(
    "text", ["", "sys/fs/bcachefs/\n", "sys/fs/bcachefs/a_file: x\n"]
)
def test_without_a_file_system_there_is_no_data(text: str, tmp_path: Path) -> None:
    outcome = scrape(bcachefs.COLLECTOR, tmp_path, text)
    assert outcome.metrics == ()
    assert isinstance(outcome.error, NoData)


def test_a_bare_file_system(tmp_path: Path) -> None:
    outcome = scrape(bcachefs.COLLECTOR, tmp_path, f"{FS}/\n")
    assert outcome.error is None
    assert samples(outcome, "node_bcachefs_") == {
        ("info", "d15c"): 1,
        ("btree_cache_size_bytes", "d15c"): 0,
    }


def test_names_of_counters(tmp_path: Path) -> None:
    text = f"{FS}/counters/a-b_._c: since filesystem creation: 1.5k\n{FS}/counters/e/\n"
    outcome = scrape(bcachefs.COLLECTOR, tmp_path, text)
    about = {f.samples[0].name: f.documentation for f in outcome.metrics}
    name = "node_bcachefs_a_b_c_total"
    assert about[name] == "Bcachefs counter a-b_._c since filesystem creation."
    assert samples(outcome, "")[name, "d15c"] == 1536
    assert outcome.error is None


def test_devices(tmp_path: Path) -> None:
    text = f"{DEVICE}{FS}/dev-file: x\n{FS}/dev-link -> dev-2\n{FS}/dev-3/\n"
    outcome = scrape(bcachefs.COLLECTOR, tmp_path, text)
    found = samples(outcome, "node_bcachefs_device_")
    assert found["info", "d15c", "2", "ssd", "[rw] ro"] == 1
    assert found["bucket_size_bytes", "d15c", "2"] == 512 << 10
    assert found["buckets", "d15c", "3"] == 0
    assert {key[2] for key in found if len(key) > 2} == {"2", "3"}
    assert outcome.error is None


def test_one_bad_file_costs_itself_and_the_success(tmp_path: Path) -> None:
    text = (
        f"{DEVICE}{FS}/dev-3/nbuckets:\n{FS}/btree_cache_size: big\n"
        f"{FS}/errors: oops 1\n{FS}/counters/a:\n{FS}/counters/b: since mount: 1\n"
        f"{FS}/compression_stats: denied\n"
    )
    outcome = scrape(bcachefs.COLLECTOR, tmp_path, text)
    found = samples(outcome, "node_bcachefs_")
    assert found["errors_total", "d15c", "oops"] == 1
    assert found["b_total", "d15c"] == 0
    assert found["device_buckets", "d15c", "2"] == 9
    assert ("device_buckets", "d15c", "3") not in found
    assert ("a_total", "d15c") not in found
    assert "btree_cache_size: expected a number such as" in str(outcome.error)
