from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from exporters.node import device_files


def test_what_is_given_is_trimmed_and_the_rest_is_absent(tmp_path: Path) -> None:
    (tmp_path / "name").write_bytes(b" eth0 \n")
    (tmp_path / "bytes").write_bytes(b"a\xff\xfeb\xc3\xa9\xe2\x82")
    (tmp_path / "directory").mkdir()
    (tmp_path / "broken").symlink_to("/proc/self/mem")  # read(2) answers EIO
    names = ("bytes", "name", "directory", "broken", "missing")
    assert device_files.read_given(str(tmp_path), names) == {
        "bytes": "a\ufffdbé\ufffd",  # a run of bad bytes is one
        "name": "eth0",
    }


def test_a_long_file_is_cut_like_upstreams(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 127 + b"\xc3\xa9")
    with device_files.opened(str(tmp_path)) as directory:
        assert device_files.read("long", directory) == "x" * 127 + "\ufffd"


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENODATA, errno.EINVAL])
def test_a_driver_that_refuses_is_asked_once(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def refuse(_: int, size: int) -> bytes:
        asked.append(size)
        raise OSError(code, os.strerror(code))

    (tmp_path / "temp1_input").write_bytes(b"1\n")
    monkeypatch.setattr(os, "read", refuse)
    assert device_files.read_given(str(tmp_path), ("temp1_input",)) == {}
    assert asked == [128]


def test_no_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("missing", "file"):
        with pytest.raises(OSError, match=name):
            device_files.read_given(str(tmp_path / name), ("x",))


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to("/proc/self/mem")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        device_files.read_given(str(tmp_path), ("broken", "missing"))
    assert len(os.listdir("/proc/self/fd")) == before
