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
from shipper.positions import Positions
from tests.shipper.sink import Sink, running


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
    shelf: Sink = field(default_factory=Sink)
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
        try:
            async with running(supervisor):
                yield supervisor
        finally:
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
