"""Whole sources: archives, encodings, and targets that come and go."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest
import yaml

from shipper.config.files import DecompressionConfig, FileSDConfig
from shipper.config.scrape import ScrapeConfig
from shipper.config.static import StaticConfig
from shipper.file_jobs import files_source
from shipper.files.reader import Budget
from shipper.files.settings import Settings
from shipper.files.source import FilesSource
from shipper.files.supervisor import Pace
from shipper.positions import Positions
from shipper.relabel import RelabelConfig
from tests.shipper.sink import Sink, running

from .conftest import Counts, Until, text


PACE = Pace(sync=0.02, min_poll=0.01, max_poll=0.01)
GZ = DecompressionConfig(enabled=True, format="gz")


@dataclass
class Bench:
    """Starts the source of one job again and again over one file of positions."""

    root: Path
    job: ScrapeConfig
    shelf: Sink = field(default_factory=Sink)
    meters: Counts = field(default_factory=Counts)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FilesSource]:
        positions = Positions(str(self.positions))
        source = files_source(
            self.job, PACE, positions, self.shelf, meters=self.meters, budget=Budget(9)
        )
        try:
            async with running(source):
                yield source
        finally:
            await positions.close()

    @property
    def positions(self) -> Path:
        return self.root / "positions.yaml"

    @property
    def kept(self) -> dict[str, str]:
        document = yaml.safe_load(self.positions.read_bytes())
        return dict(document["positions"])


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    defaults = FilesSource.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "poll_seconds", 0.01)
    (tmp_path / "logs").mkdir()
    labels = {"job": "x", "__path__": f"{tmp_path}/logs/*"}
    job = ScrapeConfig(job_name="job", static_configs=(StaticConfig(labels=labels),))
    return Bench(tmp_path, job)


def lines(first: int, last: int) -> list[bytes]:
    return [b"line %d" % number for number in range(first, last)]


# -- archives


async def test_an_archive_is_read_once_whatever_it_is_called(bench: Bench) -> None:
    bench.job = replace(bench.job, decompression=GZ)
    path = bench.root / "logs" / "a.1.gz"
    path.write_bytes(gzip.compress(text(lines(0, 3)) + b"the end"))
    async with bench.running() as source:
        assert await bench.shelf.count(4) == [*lines(0, 3), b"the end"]
        (target,) = source.targets()
        size = str(path.stat().st_size)
        assert target.details == {
            "offset": str(len(text(lines(0, 3))) + 7),
            "size": size,
        }
        path.rename(bench.root / "logs" / "a.2.gz")
        path.write_bytes(gzip.compress(text(lines(5, 6))))
        assert (await bench.shelf.count(5))[4:] == lines(5, 6)
    assert bench.kept[str(path)] == "1"
    path.rename(bench.root / "logs" / "a.3.gz")  # while we are away
    path.write_bytes(gzip.compress(text(lines(7, 8))))
    async with bench.running():
        assert (await bench.shelf.count(6))[5:] == lines(7, 8)
    (bench.root / "logs" / "b.gz").write_bytes(gzip.compress(b"last\n"))
    async with bench.running():
        assert (await bench.shelf.count(7))[6:] == [b"last"]


async def test_promtails_position_of_an_archive_counts_lines(bench: Bench) -> None:
    bench.job = replace(bench.job, decompression=GZ)
    path = bench.root / "logs" / "a.gz"
    path.write_bytes(gzip.compress(text(lines(0, 5))))
    bench.positions.write_text(f'positions: {{"{path}": "3"}}')
    async with bench.running():
        assert await bench.shelf.count(2) == lines(3, 5)
    assert bench.kept[str(path)] == "5"
    bench.positions.write_text(f'positions: {{"{path}": "5"}}')
    path.write_bytes(path.read_bytes() + gzip.compress(text(lines(5, 7))))
    async with bench.running():
        assert (await bench.shelf.count(4))[2:] == lines(5, 7)


async def test_a_restart_goes_on_within_an_archive(bench: Bench) -> None:
    bench.job = replace(bench.job, decompression=GZ)
    path = bench.root / "logs" / "a.gz"
    path.write_bytes(gzip.compress(text(lines(0, 2000))))
    bench.shelf.holds = True
    async with bench.running():
        await bench.shelf.count(2000)
        bench.shelf.acknowledge(1500)
    assert bench.kept[str(path)] == "1500"
    bench.shelf.holds = False
    async with bench.running():
        assert (await bench.shelf.count(2500))[2000:] == lines(1500, 2000)


async def test_an_archive_that_is_still_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    bench.job = replace(bench.job, decompression=GZ)
    path = bench.root / "logs" / "a.gz"
    packed = gzip.compress(text(lines(0, 20_000)))
    path.write_bytes(packed[: len(packed) // 2])
    async with bench.running() as source:
        await bench.shelf.count(5000)
        with path.open("ab") as file:
            file.write(packed[len(packed) // 2 :])
        assert await bench.shelf.count(20_000) == lines(0, 20_000)
        (target,) = source.targets()
        assert target.error == ""


async def test_an_archive_that_breaks_off_gives_all_it_has(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    """The last piece of a line too, when it is not going to be more."""
    monkeypatch.setattr(
        "shipper.file_jobs.Settings", partial(Settings, settle_seconds=0.1)
    )
    bench.job = replace(bench.job, decompression=GZ)
    path = bench.root / "logs" / "a.gz"
    whole = text(lines(0, 20_000))
    packed = gzip.compress(whole, mtime=0)
    path.write_bytes(packed[:-2000])
    async with bench.running():
        await until(
            lambda: (
                bool(bench.shelf.lines)
                and whole.startswith(b"\n".join(bench.shelf.lines))
                and bench.shelf.lines[-1] != lines(0, len(bench.shelf.lines))[-1]
            )
        )
    got = bench.shelf.lines
    assert got[:-1] == lines(0, len(got) - 1)
    path.write_bytes(packed)
    async with bench.running():
        await bench.shelf.count(20_001)
    assert b"".join(bench.shelf.lines) == b"".join(lines(0, 20_000))


async def test_what_is_no_archive_is_said_once(
    bench: Bench, caplog: pytest.LogCaptureFixture, until: Until
) -> None:
    bench.job = replace(bench.job, decompression=GZ)
    (bench.root / "logs" / "plain").write_bytes(b"text\n")
    with caplog.at_level(logging.WARNING):
        async with bench.running() as source:
            await until(lambda: any(target.error for target in source.targets()))
            (bench.root / "logs" / "a.gz").write_bytes(gzip.compress(b"good\n"))
            assert await bench.shelf.count(1) == [b"good"]
    (record,) = caplog.records
    assert "expected gzip: " in record.getMessage()


async def test_the_initial_delay(bench: Bench) -> None:
    delay = 0.3
    bench.job = replace(
        bench.job,
        decompression=DecompressionConfig(
            enabled=True, format="gz", initial_delay=delay
        ),
    )
    (bench.root / "logs" / "a.gz").write_bytes(gzip.compress(b"good\n"))
    loop = asyncio.get_running_loop()
    before = loop.time()
    async with bench.running():
        await bench.shelf.count(1)
    assert loop.time() - before >= delay


# -- encodings


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [("UTF-16LE", "utf-16-le"), ("UTF-16", "utf-16"), ("Shift_JIS", "shift_jis")],
)
async def test_encodings(bench: Bench, encoding: str, codec: str) -> None:
    bench.job = replace(bench.job, encoding=encoding)
    path = bench.root / "logs" / "a.log"
    path.write_bytes("日本\nab\n".encode(codec))
    async with bench.running():
        assert await bench.shelf.count(2) == ["日本".encode(), b"ab"]
    assert bench.kept[str(path)] == str(path.stat().st_size)
    more = "後\n".encode("utf-16-le" if codec == "utf-16" else codec)
    path.write_bytes(path.read_bytes() + more)
    async with bench.running():
        assert (await bench.shelf.count(3))[2:] == ["後".encode()]


# -- targets that come and go


def write(path: Path, groups: str) -> None:
    path.write_text(groups)


def group(root: Path, name: str, **labels: str) -> str:
    every = {"__path__": f"{root}/logs/{name}", **labels}
    return f"- targets: [localhost]\n  labels: {every}\n"


@pytest.fixture
def found(bench: Bench) -> Path:
    """Return a file of targets that the job reads."""
    path = bench.root / "targets.yml"
    config = FileSDConfig(files=(str(path),))
    rule = RelabelConfig(source_labels=("__meta_filepath",), target_label="from")
    fixed = StaticConfig(labels={"__path__": f"{bench.root}/logs/fixed.log"})
    bench.job = replace(
        bench.job,
        static_configs=(fixed,),
        file_sd_configs=(config,),
        relabel_configs=(rule,),
    )
    return path


async def test_targets_are_found_beside_fixed_ones(bench: Bench, found: Path) -> None:
    for name in ("fixed", "a", "b"):
        (bench.root / "logs" / f"{name}.log").write_bytes(f"{name}\n".encode())
    async with bench.running() as source:
        await bench.shelf.count(1)
        write(found, group(bench.root, "a.log", job="A"))
        await bench.shelf.count(2)
        write(found, group(bench.root, "b.log", job="B"))
        await bench.shelf.count(3)
        assert {target.name for target in source.targets()} >= {
            f"{bench.root}/logs/b.log"
        }
    got = {
        dict(labels).get("job", ""): dict(labels) for labels, _ in bench.shelf.entries
    }
    assert got["A"] == {
        "job": "A",
        "filename": f"{bench.root}/logs/a.log",
        "from": str(found),
    }
    assert got.keys() == {"", "A", "B"}


@pytest.mark.parametrize("same", [True, False])
async def test_a_target_comes_back_to_its_place(
    bench: Bench, found: Path, until: Until, same: bool
) -> None:
    """Also when it comes back with other labels."""
    log = bench.root / "logs" / "a.log"
    log.write_bytes(text(lines(0, 3)))
    write(found, group(bench.root, "a.log", job="A"))
    async with bench.running() as source:
        await bench.shelf.count(3)
        write(found, "[]")
        await until(lambda: not source.supervisor.tails)
        with log.open("ab") as file:
            file.write(text(lines(3, 5)))
        write(found, group(bench.root, "a.log", job="A" if same else "B"))
        assert await bench.shelf.count(5) == lines(0, 5)
    jobs = [dict(labels)["job"] for labels, _ in bench.shelf.entries]
    assert jobs == ["A"] * 3 + ["A" if same else "B"] * 2
    assert bench.kept[str(log)] == str(log.stat().st_size)
    async with bench.running():
        with log.open("ab") as file:
            file.write(b"more\n")
        assert (await bench.shelf.count(6))[5:] == [b"more"]


async def test_labels_change_while_a_file_is_read(bench: Bench, found: Path) -> None:
    log = bench.root / "logs" / "a.log"
    log.write_bytes(text(lines(0, 3)))
    write(found, group(bench.root, "a.log", job="A"))
    async with bench.running():
        await bench.shelf.count(3)
        write(found, group(bench.root, "a.log", job="B"))
        with log.open("ab") as file:
            for number in range(3, 200):
                file.write(b"line %d\n" % number)
                file.flush()
                await asyncio.sleep(0)
        assert await bench.shelf.count(200) == lines(0, 200)


async def test_targets_that_are_not_used_are_shown(
    bench: Bench, found: Path, until: Until
) -> None:
    elsewhere = group(bench.root, "a.log", __host__="elsewhere")
    write(found, elsewhere + group(bench.root, "a["))
    async with bench.running() as source:
        await until(lambda: bool(list(source.targets())))
        shown = list(source.targets())
    assert [target.details["not_used"] for target in shown] == ["wrong_host", "error"]
    assert not any(target.streams for target in shown)
