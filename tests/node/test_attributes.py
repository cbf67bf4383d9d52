from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import pytest

from exporters.node.attributes import Attributes, list_devices
from exporters.node.integers import decimal
from exporters.node.registry import NoData


def fail(code: int) -> None:
    raise OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    "code", [errno.EIO, errno.ENODATA, errno.EINVAL, errno.EAGAIN, errno.ENODEV]
)
def test_what_the_kernel_refuses_is_absent(
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "temp"
    path.write_text("1\n")
    attributes = Attributes()
    with monkeypatch.context() as patch, caplog.at_level(logging.DEBUG):
        patch.setattr(os, "read", lambda *_: fail(code))
        assert attributes.text(str(path)) is None
        assert attributes.label(str(path)) == ""
        assert attributes.value(str(path), decimal) is None
    attributes.raise_rejected()
    (record, *_) = caplog.records
    assert record.levelno == logging.DEBUG
    assert record.__dict__["fields"]["path"] == str(path)


def test_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "temp"
    path.write_text(" 42 \n")
    attributes = Attributes()
    assert attributes.text(str(path)) == "42"
    assert attributes.label(str(path)) == "42"
    assert attributes.value(str(path), decimal) == 42
    assert attributes.names(str(tmp_path)) == ["temp"]
    assert attributes.names(str(tmp_path / "none")) == []
    attributes.raise_rejected()


def test_what_is_not_understood_is_told_at_the_end(tmp_path: Path) -> None:
    attributes = Attributes()
    for name in "abcde":
        (tmp_path / name).write_text(f"{name}\n")
        assert attributes.value(str(tmp_path / name), decimal) is None
    with pytest.raises(ValueError, match="expected an unsigned") as caught:
        attributes.raise_rejected()
    shown = str(caught.value).split("; ")
    assert shown[0] == (
        f"{tmp_path}/a: expected an unsigned integer of 64 bits, got 'a'"
    )
    assert len(shown) == 4
    assert shown[3] == "2 more"


def test_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
    assert list_devices(str(tmp_path)) == ["a", "b"]
    with pytest.raises(NoData, match=r"could not read .*/none: No such file"):
        list_devices(str(tmp_path / "none"))
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        list_devices(str(tmp_path / "file"))
    monkeypatch.setattr(os, "listdir", lambda _: fail(errno.EACCES))
    with pytest.raises(PermissionError):
        list_devices(str(tmp_path))
    with pytest.raises(NoData, match=r"could not read .*: Permission denied"):
        list_devices(str(tmp_path), denied_is_nodata=True)
