from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from shipper.files.seen import Identity
from shipper.files.supervisor import Pace


if TYPE_CHECKING:
    from .conftest import Bench

Until = Callable[[Callable[[], bool]], Awaitable[None]]


def append(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)


def kept(bench: Bench) -> dict[str, str]:
    with open(bench.positions_path, "rb") as file:
        positions: dict[str, str] = yaml.safe_load(file)["positions"]
    return positions


async def test_lines_that_are_there_and_lines_that_come(bench: Bench) -> None:
    log = bench.root / "sub" / "a.log"
    append(log, b"one\ntwo\r\n\nhal")
    async with bench.running():
        assert await bench.shelf.count(3) == [b"one", b"two\r", b""]
        append(log, b"f\nnext\n")
        assert await bench.shelf.count(5) == [b"one", b"two\r", b"", b"half", b"next"]
    labels = {labels for labels, _ in bench.shelf.entries}
    assert labels == {(("filename", str(log)), ("job", "x"))}
    times = [entry.timestamp_ns for _, entry in bench.shelf.entries]
    assert times == sorted(set(times))
    assert kept(bench)[str(log)] == str(log.stat().st_size)
    assert bench.meters.lines == {str(log): 5}
    assert bench.meters.active == 0


async def test_no_newline_no_line(bench: Bench) -> None:
    log = bench.root / "a.log"
    append(log, b"one\nunfinished")
    async with bench.running():
        await bench.shelf.count(1)
    assert bench.shelf.lines == [b"one"]
    assert kept(bench)[str(log)] == "4"
    append(log, b" no more\n")
    async with bench.running():
        assert await bench.shelf.count(2) == [b"one", b"unfinished no more"]


@pytest.mark.parametrize("max_open_files", [0, 100])
async def test_rotation_by_rename(bench: Bench, max_open_files: int) -> None:
    bench.max_open_files = max_open_files
    log, old = bench.root / "a.log", bench.root / "a.log.1"
    append(log, b"one\n")
    async with bench.running():
        await bench.shelf.count(1)
        with log.open("ab", buffering=0) as writer:
            writer.write(b"two\n")
            log.rename(old)
            append(log, b"new\n")
            await bench.shelf.count(3)
            writer.write(b"late\nlast")
        await bench.shelf.count(5)
        append(log, b"newer\n")
        await bench.shelf.count(6)
    assert sorted(bench.shelf.of(log)) == sorted(
        [b"one", b"two", b"new", b"late", b"last", b"newer"]
    )
    assert bench.shelf.lines.index(b"two") < bench.shelf.lines.index(b"new")
    assert bench.meters.lost == 0
    assert kept(bench)[str(log)] == str(log.stat().st_size)


async def test_a_rotated_file_that_the_pattern_finds_again(bench: Bench) -> None:
    bench.pattern = "a.log*"
    names = [bench.root / name for name in ("a.log", "a.log.1", "a.log.2")]
    expected = []
    async with bench.running():
        for number in range(6):
            append(names[0], b"%d first\n" % number)
            expected += [b"%d first" % number, b"%d last" % number]
            await bench.shelf.count(2 * number + 1)
            append(names[0], b"%d last\n" % number)
            for new, old in ((2, 1), (1, 0)):
                if names[old].exists():
                    names[old].rename(names[new])
            append(names[0], b"")
            await bench.shelf.count(2 * number + 2)
    assert sorted(bench.shelf.lines) == sorted(expected)
    async with bench.running():
        append(names[0], b"end\n")
        await bench.shelf.count(13)
    assert sorted(bench.shelf.lines) == sorted([*expected, b"end"])


async def test_a_new_name_is_found_before_the_old_one_is_looked_at_again(
    bench: Bench,
) -> None:
    bench.pattern = "a.log*"
    bench.pace = Pace(sync=0.01, min_poll=0.3, max_poll=0.3)
    log, old = bench.root / "a.log", bench.root / "a.log.1"
    append(log, b"first\n")
    async with bench.running():
        await bench.shelf.count(1)
        log.rename(old)
        append(old, b"late\n")
        append(log, b"new\n")
        await bench.shelf.count(3)
    assert sorted(bench.shelf.lines) == [b"first", b"late", b"new"]


async def test_links_are_files_of_their_own(bench: Bench) -> None:
    log, link = bench.root / "a.log", bench.root / "b.log"
    append(log, b"one\n")
    link.symlink_to(log)
    async with bench.running():
        await bench.shelf.count(2)
    assert bench.shelf.of(log) == bench.shelf.of(link) == [b"one"]


@pytest.mark.parametrize("max_open_files", [0, 100])
async def test_copytruncate(bench: Bench, max_open_files: int) -> None:
    bench.max_open_files = max_open_files
    log = bench.root / "a.log"
    append(log, b"one\ntwo\nthe end")
    async with bench.running():
        await bench.shelf.count(2)
        # Longer than before at once: the size does not tell.
        os.truncate(log, 0)
        append(log, b"a line that is longer than all of it before\n")
        await bench.shelf.count(4)
        append(log, b"more\n")
        await bench.shelf.count(5)
    assert bench.shelf.lines == [
        b"one",
        b"two",
        b"the end",
        b"a line that is longer than all of it before",
        b"more",
    ]
    assert kept(bench)[str(log)] == str(log.stat().st_size)


async def test_deleted_and_made_again(bench: Bench, until: Until) -> None:
    log = bench.root / "a.log"
    append(log, b"one\ntail")
    async with bench.running() as supervisor:
        await bench.shelf.count(1)
        await until(lambda: bench.meters.offsets.get(str(log)) == 8)
        log.unlink()
        assert await bench.shelf.count(2) == [b"one", b"tail"]
        await until(lambda: not supervisor.tails)
        append(log, b"one\ntail\n")
        assert await bench.shelf.count(4) == [b"one", b"tail"] * 2
    assert bench.meters.lost == 0
    assert kept(bench)[str(log)] == "9"


@pytest.mark.parametrize("acknowledged", [0, 1, 50, 99, 100])
async def test_only_what_is_acknowledged_is_done(
    bench: Bench, acknowledged: int
) -> None:
    log = bench.root / "a.log"
    lines = [b"line %d" % number for number in range(100)]
    append(log, b"".join(line + b"\n" for line in lines))
    bench.shelf.holds = True
    async with bench.running():
        await bench.shelf.count(100)
        bench.shelf.acknowledge(acknowledged)
    bench.shelf.entries.clear()
    append(log, b"more\n")
    bench.shelf.holds = False
    async with bench.running():
        await bench.shelf.count(101 - acknowledged)
    assert bench.shelf.lines == [*lines[acknowledged:], b"more"]


async def test_rotated_while_away(bench: Bench) -> None:
    log = bench.root / "a.log"
    append(log, b"one\n")
    async with bench.running():
        await bench.shelf.count(1)
    append(log, b"two\n")
    log.rename(bench.root / "a.log.1")
    append(log, b"a new file, longer than the old one\n")
    async with bench.running():
        await bench.shelf.count(3)
    assert bench.shelf.of(log) == [
        b"one",
        b"two",
        b"a new file, longer than the old one",
    ]
    async with bench.running():
        append(log, b"next\n")
        await bench.shelf.count(4)
    assert bench.shelf.lines[3:] == [b"next"]
    assert bench.meters.lost == 0


async def test_rotated_and_removed_while_away(bench: Bench) -> None:
    log = bench.root / "a.log"
    append(log, b"one\n")
    async with bench.running():
        await bench.shelf.count(1)
    append(bench.root / "new", b"something else, longer\n")
    (bench.root / "new").rename(log)
    async with bench.running():
        await bench.shelf.count(2)
    assert bench.shelf.lines == [b"one", b"something else, longer"]
    assert bench.meters.lost == 1


async def test_cut_while_away(bench: Bench) -> None:
    log = bench.root / "a.log"
    append(log, b"one\ntwo\n")
    async with bench.running():
        await bench.shelf.count(2)
    os.truncate(log, 0)
    append(log, b"three\nfour\nfive\n")
    async with bench.running():
        await bench.shelf.count(5)
    assert bench.shelf.lines == [b"one", b"two", b"three", b"four", b"five"]


@pytest.mark.parametrize(
    ("offset", "expected"), [("4", [b"two"]), ("0", [b"one", b"two"]), ("99", None)]
)
async def test_promtails_positions(
    bench: Bench, offset: str, expected: list[bytes] | None
) -> None:
    log = bench.root / "a.log"
    append(log, b"one\ntwo\n")
    with open(bench.positions_path, "w", encoding="utf-8") as file:  # noqa: ASYNC230  # a few bytes
        file.write(f'positions:\n  {log}: "{offset}"\n')
    expected = expected or [b"one", b"two"]
    async with bench.running():
        await bench.shelf.count(len(expected))
    assert bench.shelf.lines == expected
    assert kept(bench)[str(log)] == "8"


async def test_back_pressure(bench: Bench, until: Until) -> None:
    log, other = bench.root / "a.log", bench.root / "b.log"
    line = b"x" * 99
    append(log, (line + b"\n") * 5000)
    append(other, b"short\n")
    bench.shelf.gate.clear()
    async with bench.running() as supervisor:
        await until(lambda: bench.meters.active == 2)
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert bench.shelf.entries == []
        assert bench.meters.offsets == {}
        # Two rotations that nobody could read at once.
        for number in (1, 2):
            log.rename(bench.root / f"a.log.{number}")
            append(log, b"file %d\n" % number)
            identity = Identity(log.stat().st_dev, log.stat().st_ino)
            tails = {path: tail for (_, path), tail in supervisor.tails.items()}
            await until(partial(tails[str(log)].bears, identity))
        bench.shelf.gate.set()
        await bench.shelf.count(5003)
    assert bench.shelf.of(log) == [line] * 5000 + [b"file 1", b"file 2"]
    assert bench.shelf.of(other) == [b"short"]
    assert bench.meters.lost == 0


async def test_five_hundred_files(bench: Bench) -> None:
    bench.max_open_files = 50
    for number in range(500):
        append(bench.root / f"{number % 7}" / f"{number}.log", b"first\n")
    before = len(os.listdir("/proc/self/fd"))
    async with bench.running():
        await bench.shelf.count(500)
        opened = len(os.listdir("/proc/self/fd")) - before
        assert opened < 50 + 10
        for number in range(500):
            append(bench.root / f"{number % 7}" / f"{number}.log", b"second\n")
        await bench.shelf.count(1000)
    assert sorted(bench.shelf.lines) == [b"first"] * 500 + [b"second"] * 500
    async with bench.running():
        append(bench.root / "0" / "0.log", b"third\n")
        await bench.shelf.count(1001)
    assert bench.shelf.lines[1000:] == [b"third"]
    assert len(kept(bench)) == 1000


async def test_unreadable(
    bench: Bench,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    log, good = bench.root / "a.log", bench.root / "b.log"
    append(log, b"one\n")
    append(good, b"good\n")
    open_file = os.open

    def refuse(path: str, *args: int, **kwargs: int) -> int:
        if path == str(log):
            raise PermissionError(13, "Permission denied", path)
        return open_file(path, *args, **kwargs)

    # Root may read everything: the kernel's refusal has to be played.
    monkeypatch.setattr(os, "open", refuse)
    with caplog.at_level(logging.WARNING, "shipper.files"):
        async with bench.running():
            await bench.shelf.count(1)
            await until(lambda: bench.meters.failures >= 3)
            assert bench.shelf.lines == [b"good"]
            assert [record.message for record in caplog.records] == [
                "file cannot be read, trying again: Permission denied"
            ]
            monkeypatch.setattr(os, "open", open_file)
            assert await bench.shelf.count(2) == [b"good", b"one"]


async def test_equal_lines_have_different_times(bench: Bench) -> None:
    log = bench.root / "a.log"
    append(log, b"same\n" * 100)
    async with bench.running():
        await bench.shelf.count(100)
    assert len({entry for _, entry in bench.shelf.entries}) == 100


async def test_excluded(bench: Bench) -> None:
    bench.pattern, bench.exclude = "**", "old/**"
    append(bench.root / "a.log", b"yes\n")
    append(bench.root / "old" / "b.log", b"no\n")
    os.mkfifo(bench.root / "pipe")
    async with bench.running() as supervisor:
        await bench.shelf.count(1)
        assert [path for _, path in supervisor.tails] == [str(bench.root / "a.log")]


async def test_names_that_are_no_text(bench: Bench) -> None:
    log = Path(os.fsdecode(os.fsencode(bench.root) + b"/\xff\n\x85.log"))
    append(log, b"one\n")
    async with bench.running():
        await bench.shelf.count(1)
    append(log, b"two\n")
    async with bench.running():
        await bench.shelf.count(2)
    assert bench.shelf.lines == [b"one", b"two"]
    name = dict(bench.shelf.entries[0][0])["filename"]
    assert name.encode().endswith("/\ufffd\n\ufffd.log".encode())


async def test_long_lines_are_cut(bench: Bench) -> None:
    log = bench.root / "a.log"
    append(log, b"x" * 200_000 + b"\nshort\n")
    async with bench.running():
        assert await bench.shelf.count(2) == [b"x" * 1000, b"short"]
    assert kept(bench)[str(log)] == str(log.stat().st_size)


async def test_renamed_away_and_back(bench: Bench, until: Until) -> None:
    log, away = bench.root / "a.log", bench.root / "a.away"
    append(log, b"one\n")
    async with bench.running() as supervisor:
        await bench.shelf.count(1)
        log.rename(away)
        await until(lambda: not supervisor.tails)
        append(away, b"two\n")
        away.rename(log)
        assert await bench.shelf.count(2) == [b"one", b"two"]
