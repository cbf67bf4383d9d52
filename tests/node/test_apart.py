from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from exporters.node.apart import Apart, names


def read(path: str) -> str:
    return Path(path).read_text("ascii")


def refuse(path: str) -> str:
    raise ValueError("expected a number")


def fail(path: str) -> str:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_one_that_fails_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("1", "ascii")
    apart = Apart()
    bad, good = str(tmp_path), str(tmp_path / "good")
    assert apart.read(refuse, bad) is None
    assert apart.read(fail, bad) is None
    assert apart.read(read, good) == "1"
    with pytest.raises(ValueError, match=f"^{bad}: expected a number$"):
        apart.raise_first()


def test_the_error_names_the_device(tmp_path: Path) -> None:
    apart = Apart()
    apart.read(fail, str(tmp_path))
    with pytest.raises(OSError, match="Input/output error") as caught:
        apart.raise_first()
    assert caught.value.filename == str(tmp_path)


def test_what_went_away_is_no_failure(tmp_path: Path) -> None:
    apart = Apart()
    assert apart.read(read, str(tmp_path / "gone")) is None
    assert apart.read(read, str(tmp_path / "gone" / "below")) is None
    apart.raise_first()


def test_what_lacks_a_file_but_is_there_is_one(tmp_path: Path) -> None:
    apart = Apart()
    assert apart.read(lambda path: read(f"{path}/state"), str(tmp_path)) is None
    with pytest.raises(FileNotFoundError, match="/state"):
        apart.raise_first()


def test_names_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).touch()
    assert names(str(tmp_path)) == ["a", "b"]
    assert names(str(tmp_path / "c")) == []
    assert names(str(tmp_path / "a")) == []
