"""A sink that remembers, and a source that runs for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from shipper.pipeline.entry import AlwaysRoom, Cursor, Entry, Labels


@dataclass
class Sink(AlwaysRoom):
    """Keeps what is put; acknowledges at once unless it *holds*.

    While *gate* is not set everyone waits.
    """

    holds: bool = False
    broken: bool = False
    entries: list[tuple[Labels, Entry]] = field(default_factory=list)
    owed: list[tuple[Entry, Cursor]] = field(default_factory=list)
    cursors: list[Cursor] = field(default_factory=list)
    waiting: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.gate.set()

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        if self.broken:
            raise RuntimeError("broken")
        self.waiting += 1
        async with self.changed:
            self.changed.notify_all()
        await self.gate.wait()
        self.waiting -= 1
        self.entries.append((labels, entry))
        self.cursors.append(cursor)
        if self.holds:
            self.owed.append((entry, cursor))
        else:
            cursor.acknowledge((entry,))
        async with self.changed:
            self.changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until *condition* holds, at most 20 s."""
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(condition)

    async def count(self, number: int) -> list[bytes]:
        """Return the lines, once there are *number*."""
        await self.until(lambda: len(self.entries) >= number)
        return self.lines

    def acknowledge(self, count: int | None = None) -> None:
        """Acknowledge the first *count* entries that are owed; all when None."""
        for entry, cursor in self.owed[:count]:
            cursor.acknowledge((entry,))
        del self.owed[:count]

    @property
    def lines(self) -> list[bytes]:
        return [entry.line for _, entry in self.entries]

    @property
    def streams(self) -> list[dict[str, str]]:
        return [dict(labels) for labels, _ in self.entries]

    def of(self, path: Path) -> list[bytes]:
        """Return the lines of the file *path*."""
        wanted = ("filename", str(path))
        return [entry.line for labels, entry in self.entries if wanted in labels]


class Runs(Protocol):
    """What reads until it is told to stop."""

    async def run(self) -> None: ...

    def stop_reading(self) -> object: ...


R = TypeVar("R", bound=Runs)


@asynccontextmanager
async def running(source: R) -> AsyncIterator[R]:
    """Run *source* inside; it has to end by itself when it is told to stop."""
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(source.run())
        try:
            yield source
        finally:
            source.stop_reading()
            await task
