"""Real journals through the real journalctl, and a script in its place for faults."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shipper.config.journal import JournalConfig
from shipper.journal.source import JournalSource
from shipper.journal_job import journal_source
from shipper.positions import Positions
from shipper.relabel import RelabelConfig
from tests.shipper.sink import Sink, running

from .conftest import OTHER_BOOT, Counts, Journal, exported


NOW_US = 1_764_200_000_000_000
HOUR_US = 3600 * 1_000_000
UNIT = RelabelConfig(source_labels=("__journal__systemd_unit",), target_label="unit")


def entry(
    number: int, unit: str = "a.service", *, ago_us: int = HOUR_US, boot: str = ""
) -> bytes:
    fields = {"_SYSTEMD_UNIT": unit.encode(), "MESSAGE": b"line %d" % number}
    at_us = NOW_US - ago_us + number * 1000
    return exported(at_us, fields, **({"boot": boot} if boot else {}))


@dataclass
class Bench:
    """Starts a journal source again and again over one file of positions."""

    root: Path
    config: JournalConfig
    rules: Sequence[RelabelConfig] = (UNIT,)
    shelf: Sink = field(default_factory=Sink)
    counts: Counts = field(default_factory=Counts)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[JournalSource]:
        positions = Positions(str(self.root / "positions.yaml"))
        source = journal_source(
            "the job",
            self.config,
            self.rules,
            positions=positions,
            sink=self.shelf,
            meters=self.counts,
        )
        try:
            async with running(source):
                yield source
        finally:
            await positions.close()

    @property
    def kept(self) -> str:
        return Positions(str(self.root / "positions.yaml"))["cursor-the job"]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = JournalSource.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "now_ns", lambda: NOW_US * 1000)


@pytest.fixture
def bench(journal: Journal, tmp_path: Path) -> Bench:
    return Bench(tmp_path, JournalConfig(path=str(journal.directory)))


async def test_what_is_there_and_what_comes(bench: Bench, journal: Journal) -> None:
    journal.write([entry(1), entry(2, "b.service"), entry(3)])
    async with bench.running() as source:
        assert await bench.shelf.count(3) == [b"line 1", b"line 2", b"line 3"]
        journal.write([entry(4)])
        await bench.shelf.count(4)
        (target,) = source.targets()
        assert source.not_ready() is None
    assert [dict(labels)["unit"] for labels, _ in bench.shelf.entries] == [
        "a.service", "b.service", "a.service", "a.service",
    ]  # fmt: skip
    assert bench.shelf.entries[0][1].timestamp_ns == (NOW_US - HOUR_US + 1000) * 1000
    assert (target.kind, target.job, target.lag_seconds) == ("journal", "the job", 0)
    assert target.details["position"] == bench.kept
    assert bench.counts.lines == 4


async def test_a_restart_goes_on_after_the_last_acknowledged(
    bench: Bench, journal: Journal
) -> None:
    journal.write([entry(number) for number in range(6)])
    bench.shelf.holds = True
    async with bench.running() as source:
        await bench.shelf.count(6)
        for put, cursor in bench.shelf.owed[:4]:
            cursor.acknowledge((put,))
        (target,) = source.targets()
        assert target.lag_seconds == pytest.approx(3600 - 0.004)
    bench.shelf.holds = False
    async with bench.running():
        await bench.shelf.count(8)
    assert bench.shelf.lines[6:] == [b"line 4", b"line 5"]
    async with bench.running():
        journal.write([entry(7)])
        await bench.shelf.count(9)
    assert bench.shelf.lines[8:] == [b"line 7"]


async def test_no_entry_is_lost_when_that_of_the_cursor_is_gone(
    bench: Bench, journal: Journal
) -> None:
    journal.write([entry(1)])
    async with bench.running():
        await bench.shelf.count(1)
    (path,) = journal.directory.iterdir()
    path.unlink()  # vacuumed
    journal.write([entry(2), entry(3)])
    async with bench.running():
        await bench.shelf.count(3)
    assert bench.shelf.lines == [b"line 1", b"line 2", b"line 3"]


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (f"s=a;i=1;b=b;m=0;t={NOW_US - 9 * HOUR_US:x};x=0", [b"line 2"]),  # too old
        ("rubbish", [b"line 2"]),
        (f"t={NOW_US - HOUR_US:x}", [b"line 2"]),  # journalctl refuses it
    ],
)
async def test_max_age(
    bench: Bench, journal: Journal, kept: str, expected: list[bytes]
) -> None:
    journal.write([entry(1, ago_us=8 * HOUR_US), entry(2)])
    (bench.root / "positions.yaml").write_text(
        f'positions: {{"cursor-the job": "{kept}"}}'
    )
    async with bench.running():
        assert await bench.shelf.count(len(expected)) == expected


async def test_entries_of_earlier_boots_are_read(
    bench: Bench, journal: Journal
) -> None:
    journal.write([entry(1), entry(2, boot=OTHER_BOOT)])
    async with bench.running():
        assert await bench.shelf.count(2) == [b"line 1", b"line 2"]


async def test_what_is_not_wanted_moves_the_position(
    bench: Bench, journal: Journal
) -> None:
    dropping = RelabelConfig(
        action="drop", source_labels=("__journal__systemd_unit",), regex="noise.*"
    )
    bench.rules = (UNIT, dropping)
    silent = exported(NOW_US - HOUR_US, {"_SYSTEMD_UNIT": b"a", "MESSAGE_ID": b"x"})
    journal.write([silent, entry(1), entry(2, "noise.service"), entry(3), entry(4)])
    async with bench.running():
        assert await bench.shelf.count(3) == [b"line 1", b"line 3", b"line 4"]
    assert bench.counts.errors == ["no_message", "empty_labels"]


async def test_matches_and_json(bench: Bench, journal: Journal) -> None:
    bench.config = JournalConfig(
        path=str(journal.directory),
        json=True,
        matches="_SYSTEMD_UNIT=b.service  PRIORITY=6",
    )
    fields = {"_SYSTEMD_UNIT": b"b.service", "PRIORITY": b"6", "MESSAGE": b"a\n\xff"}
    journal.write([entry(1), exported(NOW_US, fields), entry(2, "b.service")])
    async with bench.running():
        await bench.shelf.count(1)
    (got,) = bench.shelf.lines
    assert got == (
        b'{"MESSAGE":"a\\n\xef\xbf\xbd","PRIORITY":"6",'
        b'"_BOOT_ID":"6c7c6013a26343b29e964691ff25d04c","_SYSTEMD_UNIT":"b.service"}'
    )


# -- without a journal: a script stands for journalctl


Script = Callable[[str], Path]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Return what puts a shell script in journalctl's place."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    def install(text: str) -> Path:
        path = programs / "journalctl"
        path.write_text(f"#!/bin/sh\ncd '{tmp_path}'\n{text}\n")
        path.chmod(0o755)
        return path

    return install


def as_journalctl(number: int) -> str:
    return (
        f"printf '__CURSOR=i={number};t={NOW_US + number:x}\\n"
        f"__REALTIME_TIMESTAMP={NOW_US + number}\\n_SYSTEMD_UNIT=u\\n"
        f"MESSAGE=line {number}\\n\\n'\n"
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # processes have no events here
            await asyncio.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_the_local_journal_is_read_to_its_end_and_then_followed(
    tmp_path: Path, script: Script
) -> None:
    script(
        'echo "$*" >> asked\ncase "$*" in *--follow*) '
        + as_journalctl(1) + as_journalctl(2) + "exec sleep 60;; *) "
        + as_journalctl(0) + as_journalctl(1) + ";; esac"
    )  # fmt: skip
    bench = Bench(tmp_path, JournalConfig())
    async with bench.running():
        await bench.shelf.count(3)
    assert bench.shelf.lines == [b"line 0", b"line 1", b"line 2"]
    first, second = (tmp_path / "asked").read_text().splitlines()
    assert f"--since=@{(NOW_US - 7 * HOUR_US) // 1_000_000}" in first
    assert f"--follow --cursor=i=1;t={NOW_US + 1:x}" in second
    assert bench.kept == f"i=2;t={NOW_US + 2:x}"


async def test_it_is_ended_with_us_and_leaves_no_zombie(
    tmp_path: Path, script: Script
) -> None:
    script("trap '' TERM\necho $$ > pid\n" + as_journalctl(1) + "while :; do :; done")
    bench = Bench(tmp_path, JournalConfig())
    async with bench.running():
        await bench.shelf.count(1)
    assert gone(int((tmp_path / "pid").read_text()))


async def test_it_is_started_again_where_it_ended(
    tmp_path: Path, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script(
        "if [ -e second ]; then " + as_journalctl(1) + as_journalctl(2)
        + "exec sleep 60; fi\n: > second\n" + as_journalctl(1)
        + "echo 'the disk is on fire' >&2; exit 1"
    )  # fmt: skip
    bench = Bench(tmp_path, JournalConfig(path="/x"))
    async with bench.running() as source:
        await until(lambda: source.not_ready() is not None)
        assert source.not_ready() == "journalctl: the disk is on fire"
        await bench.shelf.count(2)
        assert source.not_ready() is None
    assert bench.shelf.lines == [b"line 1", b"line 2"]
    assert "the disk is on fire" in caplog.text


async def test_no_journalctl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: Script
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    bench = Bench(tmp_path, JournalConfig())
    async with bench.running() as source:
        await until(lambda: source.not_ready() is not None)
        expected = "journalctl is not there: install the package systemd"
        assert source.not_ready() == expected
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
        script(as_journalctl(1) + "exec sleep 60")
        await bench.shelf.count(1)
        assert source.not_ready() is None


async def test_stopping_while_there_is_no_room(tmp_path: Path, script: Script) -> None:
    class Full(Sink):
        async def put(self, *put: object) -> None:
            self.entries.append(put)  # type: ignore[arg-type]
            await asyncio.Event().wait()

    script(as_journalctl(1) + "exec yes")
    bench = Bench(tmp_path, JournalConfig(), shelf=Full())
    async with bench.running():
        await until(lambda: bool(bench.shelf.entries))
    with pytest.raises(KeyError):
        assert bench.kept
