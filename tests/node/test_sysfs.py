from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from exporters.node import sysfs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("42", 42),
        ("-1", -1),
        ("0x1003", 0x1003),
        ("0X20", 32),
        ("017", 15),
        ("-017", -15),
        ("0o17", 15),
        ("0b101", 5),
        ("9223372036854775807", 2**63 - 1),
        # Go's ParseInt refuses these, and upstream then exports 0
        ("08", 0),
        ("9223372036854775808", 0),
        ("", 0),
        ("none", 0),
        ("1.5", 0),
    ],
)
def test_integers_are_read_as_go_reads_them(text: str, expected: int) -> None:
    assert sysfs.parse_integer(text) == expected


def test_an_attribute_is_stripped_and_cut(tmp_path: Path) -> None:
    (tmp_path / "alias").write_bytes(b" uplink\xff \n")
    (tmp_path / "long").write_text("x" * 300)
    assert sysfs.read(f"{tmp_path}/alias") == "uplink\ufffd"
    directory = os.open(tmp_path, os.O_RDONLY)
    assert sysfs.read("long", directory) == "x" * 128
    os.close(directory)


@pytest.mark.parametrize(
    "code", [errno.ENOENT, errno.EACCES, errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP]
)
def test_a_refusal_is_no_value(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "read", refuse)
    assert sysfs.read_optional("/proc/self/stat") is None


def test_a_broken_device_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "read", fail)
    with pytest.raises(OSError, match="Input/output"):
        sysfs.read_optional("/proc/self/stat")


@pytest.mark.parametrize("text", ["", "-1", "0x1", "1_0", "١"])
def test_what_is_not_unsigned_names_its_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "count").write_text(text)
    with pytest.raises(ValueError, match=r"count: expected an unsigned integer"):
        sysfs.read_unsigned(f"{tmp_path}/count")


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = os.listdir("/proc/self/fd")
    for _ in range(20):
        sysfs.read(f"{tmp_path}/a")
        sysfs.read_optional(f"{tmp_path}/b")
    assert len(os.listdir("/proc/self/fd")) == len(before)
