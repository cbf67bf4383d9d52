from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from exporters.nginx.access_log.sources import files
from exporters.nginx.access_log.sources.files import follow_files
from exporters.nginx.access_log.sources.follow import Follower, Turn
from exporters.toolkit.errors import StartError
from tests.nginx.access_log.sending import PATIENCE_SECONDS, Lines


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


async def test_lines_come(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    _append(log, "old\n")
    lines = Lines()
    async with follow_files([str(log)], lines) as follower:
        assert follower.state.files == 1
        _append(log, "1\n")
        assert await lines.until(1) == [b"1"]
        log.rename(tmp_path / "access.log.1")
        _append(log, "2\n")
        assert await lines.until(2) == [b"1", b"2"]


async def test_what_is_there_at_the_end_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    lines = Lines()
    async with follow_files([str(log)], lines):
        _append(log, "x" * 99 + "\n")
        await lines.until(1)
        _append(log, ("x" * 99 + "\n") * 5000 + "unfinished")
    assert len(lines.lines) == 5001
    assert all(line == b"x" * 99 for line in lines.lines)


async def test_the_loop_gets_its_turns_in_a_flood(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    lines = Lines()
    most = 0
    async with follow_files([str(log)], lines):
        _append(log, ("x" * 99 + "\n") * 20_000)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(lines.lines) < 20_000:
                before = len(lines.lines)
                await asyncio.sleep(0)
                most = max(most, len(lines.lines) - before)
    assert 0 < most < 1000


async def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot follow: expected a file that nginx"):
        async with follow_files([str(tmp_path)], Lines()):
            pass


async def test_a_disk_that_hangs_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    monkeypatch.setattr(files, "_START_SECONDS", 0.01)
    monkeypatch.setattr(Follower, "start", lambda *_: answer.wait(PATIENCE_SECONDS))
    try:
        with pytest.raises(StartError) as caught:
            async with follow_files([str(tmp_path / "access.log")], Lines()):
                pass
    finally:
        answer.set()
    assert str(caught.value) == (
        f"{tmp_path}/access.log: cannot follow: expected an answer from the disk "
        "within 0.01 s"
    )


async def test_a_turn_that_fails_is_not_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "access.log"
    log.touch()
    monkeypatch.setattr(files, "POLL_SECONDS", 0.01)
    turn = Follower.turn
    fails = iter([True, True])

    def fail(follower: Follower, now: float) -> Turn:
        if next(fails, False):
            raise RuntimeError("of the test")
        return turn(follower, now)

    monkeypatch.setattr(Follower, "turn", fail)
    lines = Lines()
    async with follow_files([str(log)], lines):
        _append(log, "1\n")
        assert await lines.until(1) == [b"1"]
    assert [record.getMessage() for record in caplog.records].count(
        "read on in the access log"
    ) == 2


async def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    async with follow_files([str(tmp_path / "none")], Lines()):
        (thread,) = (t for t in threading.enumerate() if "access-log" in t.name)
    await asyncio.to_thread(thread.join, PATIENCE_SECONDS)
    assert not thread.is_alive()
