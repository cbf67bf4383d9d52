from __future__ import annotations

import contextlib
import math
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.storage import btrfs_sysfs


UUID = "0ddba11-cafe"


def make(root: Path, files: dict[str, str]) -> str:
    for name, value in files.items():
        path = root / UUID / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n", "utf-8")
    return str(root / UUID)


SYSTEM = {"allocation/system/single/used_bytes": "4096"}


@pytest.mark.parametrize(
    ("profile", "devices", "ratio"),
    [
        ("single", 1, 1),
        ("raid0", 4, 1),
        ("dup", 1, 2),
        ("raid1", 2, 2),
        ("raid10", 4, 2),
        ("raid1c3", 3, 3),
        ("raid1c4", 4, 4),
        ("raid5", 3, 1.5),
        ("raid6", 4, 2),
        ("raid5", 1, math.inf),
        ("raid6", 2, math.inf),
        ("raid6", 1, -1),
        ("raid7", 9, 0),
    ],
)
def test_allocation_ratio(profile: str, devices: int, ratio: float) -> None:
    assert btrfs_sysfs.allocation_ratio(profile, devices) == ratio


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("17", 17),
        ("18446744073709551615", 2**64 - 1),
        ("9" * 5000, 2**64 - 1),
        ("", 0),
        ("-1", 0),
        ("1.5", 0),
        ("³", 0),
    ],
)
def test_numbers_as_upstream_reads_them(text: str, number: int) -> None:
    assert btrfs_sysfs.parse_number(text) == number


@given(st.text())
def test_numbers_never_raise(text: str) -> None:
    assert 0 <= btrfs_sysfs.parse_number(text) < 2**64


def test_a_mixed_file_system_has_no_data_and_no_metadata(tmp_path: Path) -> None:
    found = btrfs_sysfs.read(make(tmp_path, SYSTEM))
    assert found.uuid == UUID
    assert found.spaces["data"] == found.spaces["metadata"] == (0, {})
    assert found.spaces["system"].layouts == {"single": (4096, 0, 1)}
    assert found.commits == found.device_sizes == {}


def test_one_that_goes_away_has_no_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="allocation/system"):
        btrfs_sysfs.read(make(tmp_path, {"label": "x"}))


def test_sizes_of_devices_are_in_sectors_of_512(tmp_path: Path) -> None:
    files = {"devices/sda/size": "819200", "devices/sdb/size": "x", "label": " a b "}
    path = make(tmp_path, SYSTEM | files | {"metadata_uuid": "5eed-beef"})
    found = btrfs_sysfs.read(path)
    assert found.device_sizes == {"sda": 819200 * 512, "sdb": 0}
    assert (found.label, found.uuid) == ("a b", "5eed-beef")


def test_commits() -> None:
    data = b"commits 4\ncur_commit_ms 0\nlast_commit_ms 35\n"
    assert btrfs_sysfs.parse_commits(data) == {
        "commits": 4, "cur_commit_ms": 0, "last_commit_ms": 35
    }  # fmt: skip


@pytest.mark.parametrize("line", [b"commits\n", b"commits 1 2\n", b"commits -1\n"])
def test_commits_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        btrfs_sysfs.parse_commits(b"max_commit_ms 1\n" + line)


@given(st.binary())
def test_rubbish_raises_only_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        btrfs_sysfs.parse_commits(data)
