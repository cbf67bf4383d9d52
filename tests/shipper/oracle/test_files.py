"""The same files through promtail and through ours: the same labels and lines.

Both read one directory at once, each with its own positions. What promtail does to
UTF-16 is not to be had: it cuts lines within a newline (docs of the differences).
"""

from __future__ import annotations

import asyncio
import bz2
import gzip
import os
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters.toolkit.decode import decode
from shipper.config.scrape import ScrapeConfig
from shipper.file_jobs import files_source
from shipper.files.meters import NoMeters
from shipper.files.reader import Budget
from shipper.files.supervisor import Pace
from shipper.pipeline.entry import AlwaysRoom, Cursor, Entry, Labels
from shipper.positions import Positions

from .conftest import Recorder, promtail, promtail_path, recorder


pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(
        promtail_path() is None, reason="PROMTAIL names no promtail to compare with"
    ),
]

START_SECONDS = 30.0
"""promtail looks for targets every 5 s."""


@dataclass
class Shelf(AlwaysRoom):
    """A sink that keeps what it is given and acknowledges at once."""

    got: set[tuple[Labels, bytes]] = field(default_factory=set)

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        self.got.add((labels, entry.line))
        cursor.acknowledge((entry,))


@dataclass
class Pair:
    """promtail and ours, over one directory."""

    theirs: Recorder
    ours: Shelf

    @property
    def recorded(self) -> set[tuple[Labels, bytes]]:
        return {(entry.labels, entry.line) for entry in self.theirs.entries}

    async def agree(self, count: int) -> set[tuple[Labels, bytes]]:
        """Wait until both have *count* different lines; return those."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while min(len(self.ours.got), len(self.recorded)) < count:  # noqa: ASYNC110  # two programs
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pass
        await asyncio.sleep(0.6)  # that nothing more comes can only be waited for
        assert self.ours.got == self.recorded
        assert len(self.ours.got) == count
        return self.ours.got


@asynccontextmanager
async def pair(root: Path, *jobs: dict[str, Any]) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        loki = await stack.enter_async_context(recorder())
        config = {
            "server": {"disable": True},
            "positions": {"filename": f"{root}/theirs.yaml", "sync_period": "200ms"},
            "clients": [{"url": loki.url, "batchwait": "50ms"}],
            "target_config": {"sync_period": "500ms"},
            "scrape_configs": list(jobs),
        }
        await stack.enter_async_context(promtail(yaml.safe_dump(config), root))
        shelf, positions = Shelf(), Positions(f"{root}/ours.yaml")
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for job in jobs:
            read = decode(yaml.safe_dump(job).encode(), ScrapeConfig, "job.yaml")
            source = files_source(
                read,
                Pace(0.5),
                positions,
                shelf,
                meters=NoMeters(),
                budget=Budget(100),
            )
            group.create_task(source.run())
            stack.callback(source.stop_reading)
        yield Pair(loki, shelf)


def static(root: Path, pattern: str, **labels: str) -> list[dict[str, Any]]:
    return [{"labels": {"__path__": f"{root}/{pattern}", **labels}}]


ENCODED = {
    "ISO-8859-1": "crème\x81".encode("latin-1"),
    "windows-1252": b"\x80 \x81 \x93q\x94",
    "windows-1251": "Привет".encode("cp1251"),
    "KOI8-U": "Їжак\xae".encode("koi8-u", "ignore"),
    "Shift_JIS": "日本語ｶﾅ".encode("cp932") + b"\x81 \xfd\x80",
    "EUC-JP": "日本語".encode("euc-jp") + b"\x8f\xa1",
    "GBK": "中文".encode("gbk") + b"\x80\xff\x81",
    "GB18030": "中😀".encode("gb18030"),
    "Big5": "繁體".encode("big5") + b"\x87\x7a\x81",
    "EUC-KR": "한국어".encode("cp949") + b"\xc7A",
    "UTF-8": b"\xef\xbb\xbfok \xe2\x82 \xff\xc3",
    "ISO-2022-JP": "日本".encode("iso2022_jp") + b"abc",
}


async def test_encodings(tmp_path: Path) -> None:
    jobs = []
    for number, (encoding, data) in enumerate(ENCODED.items()):
        (tmp_path / f"{number}.log").write_bytes(data + b"\r\nascii\n" + data + b"x\n")
        jobs.append(
            {
                "job_name": encoding,
                "encoding": encoding,
                "static_configs": static(tmp_path, f"{number}.log", job=encoding),
            }
        )
    async with pair(tmp_path, *jobs) as both:
        await both.agree(3 * len(ENCODED))


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "z": zlib.compress,
    "bz2": bz2.compress,
}


async def test_archives(tmp_path: Path) -> None:
    jobs = []
    for form, pack in PACK.items():
        body = b"one\r\ntwo\n\n" + b"".join(b"line %d\n" % n for n in range(3000))
        (tmp_path / f"a.{form}").write_bytes(pack(body + b"no newline"))
        jobs.append(
            {
                "job_name": form,
                "decompression": {"enabled": True, "format": form},
                "static_configs": static(tmp_path, f"*.{form}", job=form),
            }
        )
    several = gzip.compress(b"first\nbroken") + gzip.compress(b" line\nlast\n")
    (tmp_path / "several.gz").write_bytes(several)
    # Left out: an empty one, which ends promtail, and one that breaks off or has
    # padding, of which promtail loses what it holds in its buffer.
    (tmp_path / "plain.gz").write_bytes(b"no archive\n")
    async with pair(tmp_path, *jobs) as both:
        got = await both.agree(3 * 3004 + 3)
    assert {line for labels, line in got if ("job", "gz") in labels} >= {
        b"one", b"", b"no newline", b"broken line",
    }  # fmt: skip


async def test_positions_are_understood_both_ways(tmp_path: Path) -> None:
    """Each goes on where the other stopped."""
    plain, packed = tmp_path / "a.txt", tmp_path / "a.gz"
    plain.write_bytes(b"1\n2\n")
    packed.write_bytes(gzip.compress(b"p1\np2\n"))
    jobs: list[dict[str, Any]] = [
        {"job_name": "plain", "static_configs": static(tmp_path, "*.txt")},
        {
            "job_name": "packed",
            "decompression": {"enabled": True, "format": "gz"},
            "static_configs": static(tmp_path, "*.gz"),
        },
    ]
    async with pair(tmp_path, *jobs) as both:
        await both.agree(4)
        await asyncio.sleep(0.5)  # promtail writes its positions by its clock
    kept = [tmp_path / name for name in ("ours.yaml", "theirs.yaml")]
    await Positions(str(kept[0])).close()
    theirs = Positions(str(kept[1]))
    assert {theirs[str(plain)], theirs[str(packed)]} == {"4", "2"}
    with plain.open("ab") as file:
        file.write(b"3\n")
    packed.write_bytes(packed.read_bytes() + gzip.compress(b"p3\n"))
    os.replace(kept[1], kept[0])
    async with pair(tmp_path, *jobs) as both:
        both.theirs.entries.clear()
        async with asyncio.timeout(START_SECONDS):
            while len(both.ours.got) < 2:  # noqa: ASYNC110  # files have no events
                await asyncio.sleep(0.05)
        assert {line for _, line in both.ours.got} == {b"3", b"p3"}


async def test_rotation_and_patterns(tmp_path: Path) -> None:
    logs = tmp_path / "logs" / "deep"
    logs.mkdir(parents=True)
    for name in ("moved.log", "cut.log", "not.log", "a.log.1", ".hidden.log"):
        (logs / name).write_bytes(f"{name} begins\n".encode())
    job = {
        "job_name": "rotated",
        "static_configs": static(
            tmp_path / "logs", "**/*.log", __path_exclude__=f"{tmp_path}/**/not*"
        ),
        "relabel_configs": [
            {"source_labels": ["__path__"], "target_label": "pattern"},
            {"action": "drop", "source_labels": ["job"], "regex": "unwanted"},
        ],
    }
    async with pair(tmp_path, job) as both:
        await both.agree(3)
        with (logs / "moved.log").open("ab") as file:
            file.write(b"the last before\n")
        os.rename(logs / "moved.log", logs / "moved.log.1")
        (logs / "moved.log").write_bytes(b"the first after\n")
        await both.agree(5)
        (logs / "cut.log.1").write_bytes((logs / "cut.log").read_bytes())
        os.truncate(logs / "cut.log", 0)
        await asyncio.sleep(0.6)  # promtail has to see it
        with (logs / "cut.log").open("ab") as file:
            file.write(b"after\n")
        (logs / "new.log").write_bytes(b"appeared\nno newline yet")
        await both.agree(7)
        with (logs / "new.log").open("ab") as file:
            file.write(b", but now\n")
        await both.agree(8)


async def test_targets_in_files(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "sd").mkdir()
    for name in "abc":
        (tmp_path / "logs" / f"{name}.log").write_bytes(f"from {name}\n".encode())
    logs = f"{tmp_path}/logs"
    (tmp_path / "sd" / "a.yml").write_text(
        f"- targets: [x, y]\n  labels: {{__path__: {logs}/a.log, job: A, n: 017}}\n"
        f"- labels: {{__path__: {logs}/c.log, job: nobody}}\n"
    )
    (tmp_path / "sd" / "b.json").write_text("[]")
    (tmp_path / "sd" / "bad.json").write_text("[{")
    job = {
        "job_name": "found",
        "file_sd_configs": [
            {"files": [f"{tmp_path}/sd/*.yml", f"{tmp_path}/sd/*.json"]}
        ],
        "static_configs": static(tmp_path, "logs/c.log", job="C"),
        "relabel_configs": [
            {"source_labels": ["__meta_filepath"], "target_label": "file"},
            {"source_labels": ["__address__"], "target_label": "address"},
        ],
    }
    async with pair(tmp_path, job) as both:
        # Of x and y promtail makes two targets, for "address" tells them apart.
        await both.agree(3)
        (tmp_path / "sd" / "b.json").write_text(
            f'[{{"targets": ["z"], "labels": {{"__path__": "{logs}/b.log"}}}}]'
        )
        await both.agree(4)
