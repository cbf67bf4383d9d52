"""Rotations, with a clock of our own: what a `Follower` is told the time is."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.nginx.access_log.sources import follow
from exporters.nginx.access_log.sources.follow import (
    LINGER_SECONDS,
    TURN_BYTES,
    Follower,
)
from exporters.nginx.access_log.sources.paths import GLOB_SECONDS
from exporters.nginx.access_log.sources.tail import Tail
from exporters.toolkit.errors import StartError


class Clocked:
    """A follower and its time."""

    def __init__(self, *patterns: Path | str) -> None:
        self.follower = Follower(map(str, patterns))
        self.now = 1000.0
        self.follower.start(self.now)

    def lines(self, seconds: float = GLOB_SECONDS) -> list[bytes]:
        """Return what is new *seconds* later, in the order of the text."""
        self.now += seconds
        found = []
        more = True
        while more:
            turn = self.follower.turn(self.now)
            found += turn.lines
            more = turn.more
        return sorted(found)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_bytes(b"old\n")
    return path


@pytest.fixture(autouse=True)
def no_descriptor_is_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    opened: list[Follower] = []
    start = Follower.start

    def remember(follower: Follower, now: float) -> None:
        opened.append(follower)
        start(follower, now)

    monkeypatch.setattr(Follower, "start", remember)
    before = len(os.listdir("/proc/self/fd"))
    yield
    for follower in opened:
        follower.close()
    assert len(os.listdir("/proc/self/fd")) == before


def _append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def test_a_file_that_is_there_and_one_that_comes(tmp_path: Path, log: Path) -> None:
    late = tmp_path / "folder" / "late.log"
    clocked = Clocked(log, late)
    _append(log, "1")
    assert clocked.lines() == [b"1"]
    late.parent.mkdir()
    _append(late, "2", "3")
    assert clocked.lines() == [b"2", b"3"]
    _append(late, "4")
    assert clocked.lines(0.25) == [b"4"]
    assert clocked.follower.state == (2, 0, 0)


def test_rename_create_and_a_signal_that_comes_late(log: Path) -> None:
    clocked = Clocked(log)
    with log.open("ab", buffering=0) as nginx:
        nginx.write(b"1\n")
        log.rename(f"{log}.1")
        nginx.write(b"2\n")
        log.touch()
        assert clocked.lines() == [b"1", b"2"]
        nginx.write(b"3\n")  # the signal has not come yet
        _append(log, "new 1")
        assert clocked.lines() == [b"3", b"new 1"]
        nginx.write(b"4\n")
    _append(log, "new 2")
    assert clocked.lines() == [b"4", b"new 2"]
    assert clocked.follower.state.files == 2
    assert clocked.lines(LINGER_SECONDS) == []
    assert clocked.follower.state.files == 1


def test_a_copy_with_a_date_in_its_name(tmp_path: Path, log: Path) -> None:
    """copytruncate with dateext and ``extension .log``."""
    clocked = Clocked(f"{tmp_path}/*.log")
    for day in ("-20260203", "-2026-02-04", ".2026-02-05", "-20260206-1795696712"):
        _append(log, day)
        assert clocked.lines() == [day.encode()]
        shutil.copy(log, tmp_path / f"access{day}.log")
        os.truncate(log, 0)
        assert clocked.lines() == []
    assert clocked.follower.state.files == 1


def test_a_log_with_a_date_in_its_name(tmp_path: Path, log: Path) -> None:
    clocked = Clocked(f"{tmp_path}/*.log")
    for name in ("shop-20260203.log", "shop-2026-02-04.log", "access-1.log"):
        _append(tmp_path / name, name)
        assert clocked.lines() == [name.encode()]
    named = tmp_path / "access-20260203.log"
    clocked = Clocked(f"{tmp_path}/*.log", named)
    _append(named, "1")
    assert clocked.lines() == [b"1"]


def test_a_file_that_may_not_be_read_at_the_start(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, *, from_end: bool) -> Tail:
        raise PermissionError(errno.EACCES, "", path)

    monkeypatch.setattr(follow, "Tail", refuse)  # root may read everything
    clocked = Clocked(f"{tmp_path}/*.log")
    monkeypatch.setattr(follow, "Tail", Tail)
    assert clocked.lines() == []  # it was there at the start
    _append(log, "1")
    assert clocked.lines() == [b"1"]
    monkeypatch.setattr(follow, "Tail", refuse)
    _append(tmp_path / "late.log", "2")
    assert clocked.lines() == []
    monkeypatch.setattr(follow, "Tail", Tail)
    assert clocked.lines() == [b"2"]


def test_a_quiet_file_is_read_on_after_its_rename(log: Path) -> None:
    clocked = Clocked(log)
    for _ in range(3):
        assert clocked.lines(LINGER_SECONDS) == []
    with log.open("ab", buffering=0) as nginx:
        log.rename(f"{log}.1")
        assert clocked.lines(LINGER_SECONDS - 1) == []
        nginx.write(b"1\n")
        assert clocked.lines(0.25) == [b"1"]
        assert clocked.lines(LINGER_SECONDS - 1) == []
        nginx.write(b"2\n")
        assert clocked.lines(0.25) == [b"2"]
        assert clocked.lines(LINGER_SECONDS) == []
    assert clocked.follower.state.files == 0


def test_several_rotations_in_a_row(log: Path) -> None:
    clocked = Clocked(log)
    for number in range(1, 5):
        _append(log, f"a{number}")
        log.rename(f"{log}.{number}")
        _append(log, f"b{number}")
        assert clocked.lines() == [f"a{number}".encode(), f"b{number}".encode()]


def test_removed_and_made_anew(log: Path) -> None:
    clocked = Clocked(log)
    _append(log, "1")
    log.unlink()
    assert clocked.lines() == [b"1"]
    _append(log, "2")
    assert clocked.lines() == [b"2"]


def test_copytruncate(log: Path) -> None:
    clocked = Clocked(f"{log}*")
    _append(log, "1", "2")
    assert clocked.lines() == [b"1", b"2"]
    shutil.copy(log, f"{log}.1")
    os.truncate(log, 0)
    _append(log, "3")
    assert clocked.lines() == [b"3"]
    assert clocked.follower.state == (1, 0, 1)


def test_a_link_to_todays_file(tmp_path: Path) -> None:
    link = tmp_path / "access.log"
    for day in ("01", "02"):
        (tmp_path / f"access-{day}.txt").touch()
    link.symlink_to("access-01.txt")
    clocked = Clocked(link)
    _append(tmp_path / "access-01.txt", "1")
    link.unlink()
    link.symlink_to("access-02.txt")
    _append(tmp_path / "access-02.txt", "2")
    _append(tmp_path / "access-01.txt", "3")
    assert clocked.lines() == [b"1", b"2", b"3"]


def test_a_pattern_finds_what_comes_but_nothing_old(tmp_path: Path) -> None:
    shop = tmp_path / "shop.access.log"
    _append(shop, "old")
    clocked = Clocked(tmp_path / "*.log*")
    _append(shop, "1")
    blog = tmp_path / "blog.access.log"
    _append(blog, "2")
    for name in ("x.log.1", "x.log-20261126", "x.log.2026-11-26", "error_log.2"):
        _append(tmp_path / name, "old")
    (tmp_path / "x.log.2.gz").write_bytes(gzip.compress(b"old\n"))
    (tmp_path / "folder.log").mkdir()
    assert clocked.lines() == [b"1", b"2"]
    # A known file keeps its place under its new name, whatever that is.
    shop.rename(tmp_path / "shop-old.log")
    _append(tmp_path / "shop-old.log", "3")
    assert clocked.lines() == [b"3"]
    assert clocked.follower.state.files == 2


def test_a_pattern_with_folders(tmp_path: Path) -> None:
    clocked = Clocked(tmp_path / "**" / "access.log")
    for folder in ("a", "b/c"):
        (tmp_path / folder).mkdir(parents=True)
        _append(tmp_path / folder / "access.log", folder)
    assert clocked.lines() == [b"a", b"b/c"]


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "[a].log"
    path.touch()
    clocked = Clocked(path)
    _append(path, "1")
    assert clocked.lines() == [b"1"]


def test_a_file_under_two_names_is_read_once(tmp_path: Path, log: Path) -> None:
    (tmp_path / "link.log").symlink_to(log)
    os.link(log, tmp_path / "hard.log")
    clocked = Clocked(log, tmp_path / "*.log")
    _append(log, "1")
    assert clocked.lines() == [b"1"]


def test_a_turn_is_bounded_and_fair(tmp_path: Path) -> None:
    logs = [tmp_path / "a.log", tmp_path / "b.log"]
    for path in logs:
        path.touch()
    clocked = Clocked(*logs)
    line = b"x" * 99 + b"\n"
    for path in logs:
        path.write_bytes(line * 2000)
    _append(logs[1], "last")
    turns = [clocked.follower.turn(clocked.now)]
    assert clocked.follower.state.unread == 2 * 200_000 + 5 - TURN_BYTES
    while turns[-1].more:
        turns.append(clocked.follower.turn(clocked.now))
    assert sum(len(turn.lines) for turn in turns) == 4001
    assert max(len(turn.lines) for turn in turns) <= TURN_BYTES // 100 + 1
    assert b"last" in turns[-1].lines + turns[-2].lines
    assert len(turns) == 400_005 // TURN_BYTES + 1
    assert clocked.follower.state == (2, 0, 0)


def test_a_file_that_may_not_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "access.log"
    opened = os.open

    def refuse(name: str, *flags: int) -> int:
        if name == str(path) and path.exists():
            raise PermissionError(13, "Permission denied")
        return opened(name, *flags)

    monkeypatch.setattr(os, "open", refuse)
    clocked = Clocked(path)  # it is not there
    path.write_text("1\n")
    with pytest.raises(StartError) as caught:
        Clocked(path)
    assert str(caught.value) == f"{path}: cannot follow: permission denied"
    Clocked(tmp_path / "*.log")
    caplog.clear()
    for _ in range(3):
        assert clocked.lines() == []
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: cannot follow: permission denied"
    ]
    monkeypatch.undo()
    assert clocked.lines() == [b"1"]


def test_what_cannot_be_followed_is_said_at_the_start(tmp_path: Path) -> None:
    for path, text in {
        tmp_path: f"{tmp_path}: cannot follow: expected a file that nginx writes to",
        tmp_path / "access.log.1.gz": (
            f"{tmp_path}/access.log.1.gz: expected a log that grows, not a compressed "
            "one"
        ),
    }.items():
        with pytest.raises(StartError) as caught:
            Clocked(path)
        assert str(caught.value) == text


def test_inodes_are_used_again(log: Path) -> None:
    clocked = Clocked(log)
    _append(log, "1")
    assert clocked.lines() == [b"1"]
    for number in range(20):  # tmpfs and ext4 give the number of a removed file anew
        log.unlink()
        _append(log, f"new {number}")
        assert clocked.lines() == [f"new {number}".encode()]
