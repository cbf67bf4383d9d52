from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from hypothesis import given, strategies as st

from shipper import positions, positions_journal
from shipper.positions import (
    PREVIOUS,
    Positions,
    PositionsError,
    load,
    parse,
    serialise,
    store,
)
from shipper.positions_journal import SUFFIX, records


def test_promtails_file_is_read() -> None:
    data = b'positions:\n  cursor-aa: "1795360482"\n  /var/log/x.log: "123"\n'
    assert parse(data, "p") == {"cursor-aa": "1795360482", "/var/log/x.log": "123"}


@pytest.mark.parametrize("data", [b"", b"positions: {}\n", b"positions:\n", b"{}\n"])
def test_nothing_is_kept(data: bytes) -> None:
    assert parse(data, "p") == {}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0" * 100, "p: not YAML"),  # seen after power loss: loki#6268
        (b"positions: [1", "p: not YAML"),
        (b"\xff\xfe\xff", "p: not YAML"),
        (b"positions: [1]", "p: expected a map 'positions'"),
        (b"just text", "p: expected a map 'positions'"),
    ],
)
def test_no_positions(data: bytes, message: str) -> None:
    with pytest.raises(PositionsError, match=message) as caught:
        parse(data, "p")
    assert "\n" not in str(caught.value)


words = st.text(
    st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029"), min_size=1
).filter(lambda text: text.isprintable())


@given(st.dictionaries(words, words))
def test_what_is_written_is_read(entries: dict[str, str]) -> None:
    assert parse(serialise(entries), "p") == entries


def test_every_value_is_a_string_for_promtail() -> None:
    document = yaml.safe_load(serialise({"a": "1", "b": "on", "c": "0x10"}))
    assert document == {"positions": {"a": "1", "b": "on", "c": "0x10"}}


def test_store_is_private_and_keeps_the_copy(tmp_path: Path) -> None:
    path = tmp_path / "positions.yaml"
    store(str(path), b"one")
    assert not (tmp_path / f"positions.yaml{PREVIOUS}").exists()
    store(str(path), b"two")
    store(str(path), b"three")
    assert path.read_bytes() == b"three"
    assert (tmp_path / f"positions.yaml{PREVIOUS}").read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path)) == [path.name, path.name + PREVIOUS]


@pytest.mark.parametrize("call", ["fsync", "replace", "link"])
def test_a_crash_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = str(tmp_path / "p.yaml")
    store(path, serialise({"a": "1"}))
    store(path, serialise({"a": "2"}))

    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    monkeypatch.setattr(os, call, crash)
    with pytest.raises(Crash):
        store(path, serialise({"a": "3"}))
    assert load(path)["a"] in {"2", "3"}


def test_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = str(tmp_path / "p.yaml")
    store(path, b"one")
    store(path, b"two")
    assert Path(path).read_bytes() == b"two"
    assert Path(path + PREVIOUS).read_bytes() == b"one"


def test_a_full_disk_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = str(tmp_path / "p.yaml")
    store(path, b"one")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store(path, b"two")
    assert Path(path).read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["p.yaml"]


@pytest.mark.parametrize("damage", [b"\0" * 50, b"positions: [", b"\xff"])
def test_a_damaged_file_falls_back(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "p.yaml"
    store(str(path), serialise({"a": "1"}))
    store(str(path), serialise({"a": "2"}))
    path.write_bytes(damage)
    assert load(str(path)) == {"a": "1"}
    assert {record.levelno for record in caplog.records} == {logging.ERROR}
    (tmp_path / f"p.yaml{PREVIOUS}").write_bytes(damage)
    assert load(str(path)) == {}


def test_a_missing_file_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert load(str(tmp_path / "none.yaml")) == {}
    assert caplog.records == []


def test_an_unreadable_file_does_not_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").mkdir()
    assert load(str(tmp_path / "p.yaml")) == {}


async def test_sources_change_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(serialise({"/var/log/x": "7", "old": "1"}))
    kept = Positions(str(path))
    kept.register(lambda: {"old": None, "cursor-a": "20", "new": "x"})
    kept.register(lambda: {"cursor-a": "9"})
    kept.register(lambda: {"cursor-a": None})
    assert await kept.save()
    assert parse(path.read_bytes(), "p") == {
        "/var/log/x": "7",
        "cursor-a": "9",  # the smaller one of two jobs
        "new": "x",
    }
    await kept.close()


async def test_nothing_changed_nothing_written(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    kept = Positions(str(path))
    await kept.save()
    inode = path.stat().st_ino
    await kept.save()
    assert path.stat().st_ino == inode
    await kept.close()


async def test_run_saves_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    kept = Positions(str(path), sync_seconds=0.001)
    asked = asyncio.Event()
    count = 0

    def source() -> dict[str, str]:
        nonlocal count
        count += 1
        if count == 3:
            asked.set()
        return {"a": str(count)}

    kept.register(source)
    task = asyncio.create_task(kept.run())
    async with asyncio.timeout(5):
        await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await kept.close()
    assert int(load(str(path))["a"]) >= 4


async def test_a_failed_save_is_counted_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "sub" / "p.yaml"
    kept = Positions(str(path))
    kept.register(lambda: {"a": "1"})
    assert not await kept.save()
    assert kept.failures == 1
    assert "positions not written to" in caplog.text
    path.parent.mkdir()
    assert await kept.save()
    assert load(str(path)) == {"a": "1"}
    await kept.close()


def changes(path: Path) -> list[Mapping[str, str | None]]:
    """Return what the journal of *path* says, without the line about the file."""
    return list(records(Path(f"{path}{SUFFIX}").read_bytes()))[1:]


async def test_the_journal_has_what_the_file_has_not_yet(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    said: list[dict[str, str | None]] = [
        {"a": "1", "b": "1"},
        {"a": "2", "b": "1"},
        {"a": "2", "b": "1"},
        {"b": None},
        {"a": "2", "c": "3"},
    ]
    kept = Positions(str(path))
    kept.register(lambda: said.pop(0) if said else {})
    assert await kept.save()
    while said:
        assert await kept._note()
    # All are given each time; only what changed is written.
    assert changes(path) == [{"a": "2"}, {"b": None}, {"c": "3"}]
    assert parse(path.read_bytes(), "p") == {"a": "1", "b": "1"}
    assert load(str(path)) == {"a": "2", "c": "3"}
    assert Positions(str(path)).keys() == ["a", "c"]
    assert await kept.save()
    assert path.name + SUFFIX not in os.listdir(tmp_path)
    assert load(str(path)) == {"a": "2", "c": "3"}
    await kept.close()


async def test_what_a_source_says_only_once_is_in_the_next_save(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(serialise({"old": "1", "a": "1"}))
    said: list[dict[str, str | None]] = [{}, {"old": None}]
    kept = Positions(str(path))
    kept.register(lambda: said.pop(0) if said else {})
    assert await kept.save()
    assert await kept._note()
    assert await kept.save()
    assert parse(path.read_bytes(), "p") == {"a": "1"}
    await kept.close()


async def test_promtail_went_on_in_between(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "p.yaml"
    kept = Positions(str(path))
    now = {"cursor-a": "20"}
    kept.register(lambda: now)
    await kept.save()
    now = {"cursor-a": "30"}
    await kept._note()
    assert load(str(path)) == {"cursor-a": "30"}
    path.write_bytes(b'positions:\n  cursor-a: "25"\n')  # after it read our 20
    caplog.clear()
    assert load(str(path)) == {"cursor-a": "25"}
    assert "of another file of positions" in caplog.text


async def test_the_journal_of_the_previous_copy(tmp_path: Path) -> None:
    """Killed between the two: the file is new, the journal is of the one before."""
    path = tmp_path / "p.yaml"
    kept = Positions(str(path))
    now = {"a": "1"}
    kept.register(lambda: now)
    await kept.save()
    now = {"a": "2"}
    await kept._note()
    store(str(path), serialise({"a": "3"}))
    assert load(str(path)) == {"a": "3"}
    path.write_bytes(b"\0" * 50)
    assert load(str(path)) == {"a": "2"}


@asynccontextmanager
async def running(kept: Positions) -> AsyncIterator[None]:
    task = asyncio.create_task(kept.run())
    try:
        async with asyncio.timeout(10):
            yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


class Asked:
    """A source that counts, and knows when it was asked so often."""

    def __init__(self) -> None:
        self.count = 0
        self._waiting: list[tuple[int, asyncio.Event]] = []

    def __call__(self) -> dict[str, str]:
        self.count += 1
        for count, event in self._waiting:
            if self.count >= count:
                event.set()
        return {"a": f"{self.count:050}"}

    async def times(self, more: int) -> None:
        event = asyncio.Event()
        self._waiting.append((self.count + more, event))
        await event.wait()


@pytest.fixture
def saves(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let `run` hurry; note every full save."""
    monkeypatch.setattr(positions, "JOURNAL_SECONDS", 0.001)
    made: list[str] = []

    def noted(path: str, data: bytes) -> None:
        made.append(path)
        store(path, data)

    monkeypatch.setattr(positions, "store", noted)
    return made


async def test_between_two_saves_there_is_the_journal(
    tmp_path: Path, saves: list[str]
) -> None:
    path = tmp_path / "p.yaml"
    kept, asked = Positions(str(path), sync_seconds=3600), Asked()
    kept.register(asked)
    async with running(kept):
        await asked.times(20)
        known = asked.count - 1
    assert len(saves) == 1  # the one that a journal can follow
    assert int(load(str(path))["a"]) >= known
    await kept.close()
    assert parse(path.read_bytes(), "p") == {"a": f"{asked.count:050}"}
    assert sorted(os.listdir(tmp_path)) == ["p.yaml", f"p.yaml{PREVIOUS}"]


async def test_a_full_journal_is_a_save(
    tmp_path: Path, saves: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions_journal, "MAX_BYTES", 1000)
    path = tmp_path / "p.yaml"
    kept, asked = Positions(str(path), sync_seconds=3600), Asked()
    kept.register(asked)
    async with running(kept):
        while len(saves) < 4:
            await asked.times(1)
    # 800 bytes hold more than ten records; each save asks once more.
    assert 30 < asked.count < 70
    await kept.close()


async def test_a_full_journal_does_not_save_all_the_time_on_a_full_disk(
    tmp_path: Path, saves: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sub" / "p.yaml"
    kept, asked = Positions(str(path), sync_seconds=3600), Asked()
    kept.register(asked)
    async with running(kept):
        await asked.times(50)
        assert len(saves) == kept.failures == 1
    path.parent.mkdir()
    await kept.close()
    assert int(load(str(path))["a"]) == asked.count


async def test_a_journal_that_cannot_be_written_is_told_once_and_breaks_no_save(
    tmp_path: Path, saves: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "p.yaml"
    journal = tmp_path / f"p.yaml{SUFFIX}"
    journal.mkdir()
    kept, asked = Positions(str(path), sync_seconds=0.02), Asked()
    kept.register(asked)
    async with running(kept):
        while len(saves) < 5:
            await asked.times(1)
        assert kept.failures == 1
        journal.rmdir()
        await asked.times(3)
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        f"{journal} not written: [Errno 21] Is a directory: '{journal}'"
    ]
    assert kept.failures == 1
    assert int(load(str(path))["a"]) >= asked.count - 2
    await kept.close()


async def test_what_the_last_save_cannot_write_is_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.yaml"
    kept, asked = Positions(str(path)), Asked()
    kept.register(asked)
    await kept.save()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    await kept.close()
    assert int(load(str(path))["a"]) == 2


CHILD = """
import asyncio, sys
from shipper import positions

positions.JOURNAL_SECONDS = 0.002
count = 0

def source():
    global count
    # What was returned the time before is written when it is asked again.
    print(count, flush=True)
    count += 1
    return {"a": str(count), "b": str(-count)}

kept = positions.Positions(sys.argv[1], sync_seconds=0.05)
kept.register(source)

async def main():
    await kept.save()
    await kept.run()

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [2, 10, 60, 61, 150])
async def test_a_kill_forgets_nothing_that_was_written(
    tmp_path: Path, lines: int
) -> None:
    path = tmp_path / "p.yaml"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    async with asyncio.timeout(30):
        said = [await child.stdout.readline() for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        said += (await child.stdout.read()).split()
        assert await child.wait() == -signal.SIGKILL
    entries, written = load(str(path)), int(said[-1])
    # The one after may have been written or not, but only as a whole.
    assert int(entries["a"]) in {written, written + 1}
    assert int(entries["b"]) == -int(entries["a"])


async def test_nothing_is_written_when_the_sources_say_the_same(tmp_path: Path) -> None:
    said: dict[str, str | None] = {"a": "1"}
    kept = Positions(str(tmp_path / "p.yaml"))
    kept.register(lambda: said)
    await kept.save()
    journal = tmp_path / "p.yaml.journal"
    assert await kept._note()
    assert not journal.exists()
    said = {"a": "2"}
    assert await kept._note()
    size = journal.stat().st_size
    assert await kept._note()
    assert journal.stat().st_size == size
    assert kept["a"] == "2"
    await kept.close()
