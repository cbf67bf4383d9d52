from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, strategies as st

from shipper.positions import (
    PREVIOUS,
    Positions,
    PositionsError,
    load,
    parse,
    serialise,
    store,
)


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
