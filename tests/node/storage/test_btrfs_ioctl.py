from __future__ import annotations

import contextlib
import errno
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node import deadline
from exporters.node.paths import Paths
from exporters.node.storage import btrfs_ioctl
from exporters.node.storage.btrfs_ioctl import DEV_INFO, FS_INFO, GET_DEV_STATS, Request


FSID = bytes.fromhex("53306d197254472b872c5b350c8ecb20")
FSID_TEXT = "53306d19-7254-472b-872c-5b350c8ecb20"


def fs_info(max_id: int, devices: int, fsid: bytes = FSID) -> bytes:
    return struct.pack("=QQ16sIII", max_id, devices, fsid, 16384, 4096, 4096).ljust(
        FS_INFO.size, b"\0"
    )


def dev_info(number: int, used: int, size: int, path: bytes) -> bytes:
    start = struct.pack("=Q16sQQ", number, bytes([number] * 16), used, size)
    return start.ljust(3072, b"\0") + path.ljust(1024, b"\0")


def dev_stats(number: int, *errors: int) -> bytes:
    return struct.pack("=QQQ5Q", number, 5, 0, *errors).ljust(1032, b"\0")


class Kernel:
    """Answers as btrfs does, for devices by number."""

    def __init__(self, max_id: int, devices: dict[int, tuple[bytes, bytes]]) -> None:
        self.max_id, self.devices = max_id, devices
        self.asked: list[tuple[Request, int]] = []

    def __call__(self, descriptor: int, request: Request, argument: bytes) -> bytes:
        assert os.fstat(descriptor)
        if request == FS_INFO:
            assert argument == b""
            return fs_info(self.max_id, len(self.devices))
        (number,) = struct.unpack_from("=Q", argument)
        self.asked.append((request, number))
        if number not in self.devices:
            raise OSError(errno.ENODEV, "No such device")
        if request == DEV_INFO:
            assert argument[8:] == b""  # a UUID would be searched for, too
            return self.devices[number][0]
        assert request == GET_DEV_STATS
        assert struct.unpack("=QQQ", argument)[1:] == (5, 0)  # five, and no reset
        return self.devices[number][1]


ONE = (dev_info(1, 10, 100, b"/dev/sda"), dev_stats(1, 1, 2, 3, 4, 5))
THREE = (dev_info(3, 20, 200, b"/dev/mapper/x"), dev_stats(3, 0, 0, 0, 0, 6))


def test_the_requests_are_those_of_the_header() -> None:
    assert (FS_INFO.code, FS_INFO.size) == (0x8400941F, 1024)
    assert (DEV_INFO.code, DEV_INFO.size) == (0xD000941E, 4096)
    assert (GET_DEV_STATS.code, GET_DEV_STATS.size) == (0xC4089434, 1032)


def test_parse() -> None:
    assert btrfs_ioctl.parse_fs_info(fs_info(4, 2)) == (4, 2, FSID_TEXT)
    assert btrfs_ioctl.parse_dev_info(ONE[0]) == (
        "01010101-0101-0101-0101-010101010101", 10, 100, "/dev/sda"
    )  # fmt: skip
    assert btrfs_ioctl.parse_dev_stats(ONE[1]) == (1, 2, 3, 4, 5)


@given(st.binary(max_size=5000))
def test_rubbish_raises_only_value_error(data: bytes) -> None:
    for parse in (
        btrfs_ioctl.parse_fs_info,
        btrfs_ioctl.parse_dev_info,
        btrfs_ioctl.parse_dev_stats,
    ):
        with contextlib.suppress(ValueError):
            parse(data)


def test_what_no_btrfs_is_says_so(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="nappropriate ioctl") as caught:
            btrfs_ioctl.call(descriptor, FS_INFO, b"")
    finally:
        os.close(descriptor)
    assert caught.value.errno == errno.ENOTTY


def host(tmp_path: Path, *mounts: str) -> Paths:
    (tmp_path / "proc/1").mkdir(parents=True)
    lines = [
        f"{40 + n} 1 0:{n} / {mount} rw - {kind} {source} rw\n"
        for n, (kind, source, mount) in enumerate(map(str.split, mounts))
    ]
    (tmp_path / "proc/1/mountinfo").write_text("".join(lines), "utf-8")
    return Paths(procfs=str(tmp_path / "proc"), rootfs=str(tmp_path / "host"))


@pytest.fixture(autouse=True)
def subvolumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every folder but those named plain be the root of a subvolume."""
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        values = list(real(descriptor))
        values[1] = 4711 if name.endswith("plain") else 256
        return os.stat_result(values)

    monkeypatch.setattr(os, "fstat", fstat)
    for name in ("data", "data/sub", "a b", "plain"):
        (tmp_path / "host" / name).mkdir(parents=True)


def test_devices_have_numbers_with_holes(tmp_path: Path) -> None:
    kernel = Kernel(9, {1: ONE, 3: THREE})
    found = btrfs_ioctl.read_mounted(host(tmp_path, "btrfs /dev/sda /data"), kernel)
    (devices,) = found.values()
    assert list(found) == [FSID_TEXT]
    assert [(d.info.path, d.errors) for d in devices] == [
        ("/dev/sda", (1, 2, 3, 4, 5)),
        ("/dev/mapper/x", (0, 0, 0, 0, 6)),
    ]
    # all are found: 4 to 9 are not asked for
    assert {number for _, number in kernel.asked} == {0, 1, 2, 3}


def test_each_file_system_is_asked_once(tmp_path: Path) -> None:
    kernel = Kernel(1, {1: ONE})
    where = host(
        tmp_path,
        "ext4 /dev/sda /data",
        "btrfs /dev/sda /plain",  # a bind mount of a folder is not asked
        "btrfs /dev/sda /gone",
        "btrfs /dev/sda /a\\040b",
        "btrfs /dev/sda /data",
        "btrfs /dev/disk/by-label/x /data/sub",
    )
    assert list(btrfs_ioctl.read_mounted(where, kernel)) == [FSID_TEXT]
    assert kernel.asked == [(DEV_INFO, 0), (DEV_INFO, 1), (GET_DEV_STATS, 1)]


def test_without_the_errors_of_one_device_sysfs_has_to_do(tmp_path: Path) -> None:
    def refuse(descriptor: int, request: Request, argument: bytes) -> bytes:
        if request == GET_DEV_STATS:
            raise OSError(errno.EPERM, "Operation not permitted")
        return Kernel(1, {1: ONE})(descriptor, request, argument)

    where = host(tmp_path, "btrfs /dev/sda /data")
    assert btrfs_ioctl.read_mounted(where, refuse) == {}


def test_a_forged_number_of_devices_ends_with_the_scrape(tmp_path: Path) -> None:
    where = host(tmp_path, "btrfs /dev/sda /data")
    with deadline.within(0):
        assert btrfs_ioctl.read_mounted(where, Kernel(2**64 - 1, {7: ONE})) == {}


def test_mounts_that_cannot_be_read(tmp_path: Path) -> None:
    where = Paths(procfs=str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError):
        btrfs_ioctl.read_mounted(where, Kernel(1, {1: ONE}))
