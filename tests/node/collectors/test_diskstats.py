from __future__ import annotations

import contextlib
import logging

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors import diskstats
from exporters.node.paths import Paths
from exporters.node.storage.diskstats import Disk, parse
from exporters.toolkit.errors import StartError
from exporters.toolkit.metric import Metric
from tests.node.conftest import FIXTURES, Run


DATA = (FIXTURES / "proc/diskstats").read_bytes()


def values(families: list[Metric], device: str) -> dict[str, float]:
    return {
        s.name.removeprefix("node_disk_"): s.value
        for f in families
        for s in f.samples
        if s.labels["device"] == device
    }


def test_parse_takes_as_many_columns_as_there_are() -> None:
    found = {disk.name: len(disk.values) for disk in parse(DATA)}
    # sda2 is a partition as Linux 2.6 wrote them
    assert found == {
        "loop0": 11, "sda": 17, "sda1": 11, "nvme0n1": 15, "dm-0": 11
    }  # fmt: skip


def test_more_columns_than_known_are_ignored() -> None:
    (disk,) = parse(b"8 0 sda" + b" 1" * 30)
    assert disk == Disk(8, 0, "sda", (1,) * 17)


def test_parse_names_the_line() -> None:
    with pytest.raises(ValueError, match=r"diskstats:2: expected an unsigned integer"):
        parse(b"\n8 0 sda" + b" 1" * 10 + b" -1")


@given(st.lists(st.sampled_from([b"8", b" ", b"sda", b"\n", b"-"]) | st.binary()))
def test_rubbish_raises_only_value_error(parts: list[bytes]) -> None:
    with contextlib.suppress(ValueError):
        parse(DATA + b"".join(parts))


def test_the_devices_by_default(run: Run) -> None:
    (info,) = [f for f in run(diskstats.COLLECTOR) if f.name == "node_disk_info"]
    assert [s.labels["device"] for s in info.samples] == ["sda", "nvme0n1", "dm-0"]


def test_units(run: Run) -> None:
    families = run(diskstats.COLLECTOR)
    assert values(families, "sda") == pytest.approx(
        {
            "info": 1,
            "reads_completed_total": 31471,
            "reads_merged_total": 9116,
            "read_bytes_total": 3201434 * 512,
            "read_time_seconds_total": 9.21,
            "writes_completed_total": 5028,
            "writes_merged_total": 14382,
            "written_bytes_total": 2668128 * 512,
            "write_time_seconds_total": 7.183,
            "io_now": 3,
            "io_time_seconds_total": 4.968,
            "io_time_weighted_seconds_total": 16.667,
            "discards_completed_total": 3507,
            "discards_merged_total": 41,
            "discarded_sectors_total": 95448,
            "discard_time_seconds_total": 0.254,
            "flush_requests_total": 480,
            "flush_requests_time_seconds_total": 0.018,
            "ata_write_cache": 1,
            "ata_write_cache_enabled": 0,
            "ata_rotation_rate_rpm": 7200,
        }
    )
    types = {f.samples[0].name: f.type for f in families}
    assert types["node_disk_io_now"] == "gauge"
    assert types["node_disk_discarded_sectors_total"] == "counter"
    nvme = values(families, "nvme0n1")
    assert "discard_time_seconds_total" in nvme
    assert "flush_requests_total" not in nvme


def test_what_udev_knows(run: Run) -> None:
    found = {f.name: f.samples for f in run(diskstats.COLLECTOR)}
    sda, nvme, mapper = (s.labels for s in found["node_disk_info"])
    assert sda == {
        "device": "sda",
        "major": "8",
        "minor": "0",
        "path": "pci-0000:00:1f.2-ata-1",
        "wwn": "0x5000",
        "model": "TOSHIBA_7",
        "serial": "XYZ",
        "revision": "A=1",
        "rotational": "1",
    }
    assert (nvme["rotational"], nvme["model"], mapper["rotational"]) == ("0", "", "0")
    (mapped,) = found["node_disk_device_mapper_info"]
    assert list(mapped.labels.values()) == ["dm-0", "vg0-root", "LVM-abc", "vg0",
                                            "root", ""]  # fmt: skip
    (filesystem,) = found["node_disk_filesystem_info"]
    assert list(filesystem.labels.values()) == ["dm-0", "ext4", "filesystem", "11-22",
                                                "1.0"]  # fmt: skip


def test_no_udev_is_said_once_and_costs_only_labels(
    run: Run, paths: Paths, caplog: pytest.LogCaptureFixture
) -> None:
    where = Paths(paths.procfs, paths.sysfs, paths.rootfs, "/nonexistent")
    found = {f.name: f.samples for f in run(diskstats.COLLECTOR, where=where)}
    assert "disabling udev device properties" in caplog.text
    assert found["node_disk_info"][0].labels["model"] == ""
    assert "node_disk_ata_write_cache" not in found


def test_a_bad_ata_value_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk(8, 0, "sda", ())
    properties = {"ID_ATA": "1", "ID_ATA_WRITE_CACHE": "yes"}
    with caplog.at_level(logging.ERROR):
        families = diskstats.udev_families([disk], [properties])
    assert not any(family.samples for family in families)
    assert caplog.messages == ["Failed to parse ATA value"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--collector.diskstats.device-include=^sda",), ["sda", "sda1"]),
        (("--collector.diskstats.device-exclude=^(sd|loop)",), ["nvme0n1", "dm-0"]),
        (("--collector.diskstats.ignored-devices=^(sd|loop)",), ["nvme0n1", "dm-0"]),
        (
            (
                "--collector.diskstats.device-include=^sda",
                "--collector.diskstats.device-exclude=",
            ),
            ["sda", "sda1"],
        ),
    ],
)
def test_filters(flags: tuple[str, ...], expected: list[str], run: Run) -> None:
    families = run(diskstats.COLLECTOR, *flags)
    assert [s.labels["device"] for s in families[0].samples] == expected


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ("device-include", "device-exclude & device-include are mutually exclusive"),
        (
            "ignored-devices",
            (
                "--collector.diskstats.ignored-devices and"
                " --collector.diskstats.device-exclude are mutually exclusive"
            ),
        ),
    ],
)
def test_contradictions(other: str, reason: str, run: Run) -> None:
    flags = [f"--collector.diskstats.{name}=a" for name in ("device-exclude", other)]
    with pytest.raises(StartError, match=f"parse device filter flags: {reason}"):
        run(diskstats.COLLECTOR, *flags)
