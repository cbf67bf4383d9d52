from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import btrfs
from exporters.node.paths import Paths
from exporters.node.storage import btrfs_ioctl
from exporters.node.storage.btrfs_ioctl import Device, DeviceErrors, DeviceInfo
from tests.node.storage.storage_host import Samples, samples, scrape


UUID = "0ddba11-cafe"
FS = f"sys/fs/btrfs/{UUID}"
TREE = f"""{FS}/allocation/system/single/used_bytes: 4096
{FS}/devices/sda/size: 8
{FS}/commit_stats: total_commit_ms 1500
"""
ERRORS = DeviceErrors(write=1, read=2, flush=3, corruption=4, generation=5)
DEVICES = [
    Device(DeviceInfo("d1", 300, 1000, "/dev/mapper/vg-one"), ERRORS),
    # a missing one, just being made smaller
    Device(DeviceInfo("d2", 300, 200, ""), DeviceErrors(0, 0, 0, 0, 0)),
]


def devices(root: Path, text: str) -> Samples:
    outcome = scrape(btrfs.COLLECTOR, root, text)
    assert outcome.error is None
    found = samples(outcome, "node_btrfs_")
    return {key: value for key, value in found.items() if key[0].startswith("device")}


def answer(monkeypatch: pytest.MonkeyPatch, found: dict[str, list[Device]]) -> None:
    monkeypatch.setattr(btrfs_ioctl, "read_mounted", lambda paths: found)


def test_without_btrfs_there_is_nothing_and_no_mount_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(paths: Paths) -> dict[str, list[Device]]:
        pytest.fail("nobody asked for it")

    monkeypatch.setattr(btrfs_ioctl, "read_mounted", fail)
    outcome = scrape(btrfs.COLLECTOR, tmp_path, "sys/fs/btrfs/features/acl: 0\n")
    assert (outcome.metrics, outcome.error) == ((), None)


def test_what_the_ioctls_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, {UUID: DEVICES})
    expected: Samples = {
        ("device_size_bytes", UUID, "vg-one", "d1"): 1000,
        ("device_unused_bytes", UUID, "vg-one", "d1"): 700,
        ("device_errors_total", UUID, "vg-one", "d1", "write"): 1,
        ("device_errors_total", UUID, "vg-one", "d1", "read"): 2,
        ("device_errors_total", UUID, "vg-one", "d1", "flush"): 3,
        ("device_errors_total", UUID, "vg-one", "d1", "corruption"): 4,
        ("device_errors_total", UUID, "vg-one", "d1", "generation"): 5,
        ("device_size_bytes", UUID, "", "d2"): 200,
        ("device_unused_bytes", UUID, "", "d2"): 0,
    }
    for kind in ERRORS._fields:
        expected["device_errors_total", UUID, "", "d2", kind] = 0
    assert devices(tmp_path, TREE) == expected


def test_a_changed_uuid_is_known_by_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, {UUID: DEVICES})
    found = devices(tmp_path, f"{TREE}{FS}/metadata_uuid: 5eed-beef\n")
    assert found["device_size_bytes", "5eed-beef", "vg-one", "d1"] == 1000


def test_sizes_of_sysfs_where_the_mounts_cannot_be_asked(tmp_path: Path) -> None:
    # the tree has no mountinfo
    assert devices(tmp_path, TREE) == {("device_size_bytes", UUID, "sda"): 4096}


def test_times_are_seconds(tmp_path: Path) -> None:
    found = samples(scrape(btrfs.COLLECTOR, tmp_path, TREE), "node_btrfs_")
    assert found["commit_seconds_total", UUID] == 1.5
    assert found["commits_total", UUID] == 0


def test_one_bad_file_system_costs_itself_and_the_success(tmp_path: Path) -> None:
    other = TREE.replace(UUID, "a-b")
    bad = f"sys/fs/btrfs/c-d/commit_stats: x\n{TREE.replace(UUID, 'c-d')}"
    bad = bad.replace("sys/fs/btrfs/c-d/commit_stats: total_commit_ms 1500\n", "")
    outcome = scrape(btrfs.COLLECTOR, tmp_path, other + bad)
    assert {key[1] for key in samples(outcome, "")} == {"a-b"}
    assert "c-d: commit_stats:1: expected a name and a value" in str(outcome.error)
