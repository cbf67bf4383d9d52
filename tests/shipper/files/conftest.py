"""A sink that remembers, files in a temporary directory, a supervisor that hurries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shipper.files.disk import Disk
from shipper.files.ledger import Ledger
from shipper.files.meters import NoMeters
from shipper.files.reader import Budget
from shipper.files.supervisor import FilesSupervisor, Pace
from shipper.files.tail import Settings
from shipper.files.target import Builder, StaticConfig
from shipper.pipeline.entry import Cursor, Entry, Labels
from shipper.positions import Positions


@dataclass
class Shelf:
    """A sink: keeps everything, acknowledges at once unless told otherwise."""

    got: list[tuple[Labels, Entry]] = field(default_factory=list)
    waiting: list[tuple[Cursor, Entry]] = field(default_factory=list)
    acknowledges: bool = True
    room: asyncio.Event = field(default_factory=asyncio.Event)
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.room.set()

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        await self.room.wait()
        self.got.append((labels, entry))
        if self.acknowledges:
            cursor.acknowledge((entry,))
        else:
            self.waiting.append((cursor, entry))
        async with self.more:
            self.more.notify_all()

    def acknowledge(self, count: int) -> None:
        for cursor, entry in self.waiting[:count]:
            cursor.acknowledge((entry,))
        del self.waiting[:count]

    @property
    def lines(self) -> list[bytes]:
        return [entry.line for _, entry in self.got]

    def of(self, path: Path) -> list[bytes]:
        wanted = ("filename", str(path))
        return [entry.line for labels, entry in self.got if wanted in labels]

    async def until(self, count: int) -> list[bytes]:
        async with asyncio.timeout(20), self.more:
            await self.more.wait_for(lambda: len(self.got) >= count)
        return self.lines


class Counts(NoMeters):
    """Meters that can be looked at."""

    def __init__(self) -> None:
        self.active = 0
        self.lost = 0
        self.failures = 0
        self.failed: list[str] = []
        self.offsets: dict[str, int] = {}
        self.lines: dict[str, int] = {}

    def files_active(self, change: int) -> None:
        self.active += change

    def targets_failed(self, reason: str) -> None:
        self.failed.append(reason)

    def read_bytes(self, path: str, offset: int) -> None:
        self.offsets[path] = offset

    def read_lines(self, path: str, count: int) -> None:
        self.lines[path] = self.lines.get(path, 0) + count

    def forget(self, path: str) -> None:
        self.offsets.pop(path, None)

    def gaps(self, count: int) -> None:
        self.lost += count

    def unreadable(self, count: int) -> None:
        self.failures += count


@dataclass
class Bench:
    """Everything a run needs; `running` starts a shipper's file side anew."""

    root: Path
    shelf: Shelf = field(default_factory=Shelf)
    meters: Counts = field(default_factory=Counts)
    pattern: str = "**/*.log"
    exclude: str = ""
    labels: dict[str, str] = field(default_factory=lambda: {"job": "x"})
    max_open_files: int = 100
    drain_seconds: float = 0.05
    retry_seconds: float = 0.02
    max_line_bytes: int = 1000
    pace: Pace = field(default_factory=lambda: Pace(0.01, 0.002, 0.002))

    @property
    def positions_path(self) -> str:
        return str(self.root.parent / "positions.yaml")

    @asynccontextmanager
    async def running(self, *, save: bool = True) -> AsyncIterator[FilesSupervisor]:
        positions = Positions(self.positions_path)
        config = StaticConfig(
            ["localhost"],
            {
                **self.labels,
                "__path__": f"{self.root}/{self.pattern}",
                "__path_exclude__": self.exclude and f"{self.root}/{self.exclude}",
            },
        )
        supervisor = FilesSupervisor(
            Builder(lambda found: found, "here", self.meters).build([config]),
            Ledger(positions, "job"),
            Settings(
                self.shelf,
                Disk(),
                self.meters,
                budget=Budget(self.max_open_files),
                max_line_bytes=self.max_line_bytes,
                drain_seconds=self.drain_seconds,
                retry_seconds=self.retry_seconds,
            ),
            pace=self.pace,
        )
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            task = group.create_task(supervisor.run())
            try:
                yield supervisor
            finally:
                supervisor.stop_reading()
                await task
                if save:
                    await positions.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    root = tmp_path / "logs"
    root.mkdir()
    return Bench(root)


Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  # files have no events
                await asyncio.sleep(0.002)

    return wait


def text(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
