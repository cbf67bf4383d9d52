"""A sink that remembers, a source on a free port, meters that add up."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from shipper.config.syslog import SyslogConfig
from shipper.pipeline.entry import Cursor, Entry, Labels
from shipper.relabel import RelabelConfig, relabel
from shipper.syslog.hostnames import Hostnames
from shipper.syslog.source import SyslogSource


@dataclass
class Sink:
    """Keeps what is put; while *room* is not set everyone waits."""

    entries: list[tuple[Labels, Entry]] = field(default_factory=list)
    cursors: list[Cursor] = field(default_factory=list)
    waiting: int = 0

    def __post_init__(self) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self._changed = asyncio.Condition()

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        self.waiting += 1
        async with self._changed:
            self._changed.notify_all()
        await self.room.wait()
        self.waiting -= 1
        self.entries.append((labels, entry))
        self.cursors.append(cursor)
        cursor.acknowledge((entry,))
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until *condition* holds, at most 5 s."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(condition)

    async def count(self, number: int) -> list[bytes]:
        """Return the lines, once there are *number*."""
        await self.until(lambda: len(self.entries) >= number)
        return self.lines

    @property
    def lines(self) -> list[bytes]:
        return [entry.line for _, entry in self.entries]

    @property
    def streams(self) -> list[dict[str, str]]:
        return [dict(labels) for labels, _ in self.entries]


class Counts(Counter[str]):
    """Meters by name."""

    def __getattr__(self, name: str) -> Callable[[int], None]:
        if name.startswith("_"):
            raise AttributeError(name)

        def add(count: int) -> None:
            self[name] += count

        return add

    entries: Any
    parsing_errors: Any
    empty_messages: Any
    filtered: Any
    truncated: Any
    overflowed: Any
    refused: Any


@dataclass
class Rig:
    """A source that listens."""

    source: SyslogSource
    sink: Sink
    counts: Counts
    task: asyncio.Task[None]

    @property
    def port(self) -> int:
        return int(self.source.address.rpartition(":")[2])

    async def send(self, data: bytes) -> None:
        """Send *data* over a connection of its own and close that."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        writer.close()
        await writer.wait_closed()

    async def datagrams(self, *items: bytes) -> None:
        """Send *items* from one socket."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("127.0.0.1", self.port)
        )
        for data in items:
            transport.sendto(data)
        transport.close()

    async def stop(self) -> None:
        """Stop the source; it has to end by itself."""
        self.source.stop_reading()
        async with asyncio.timeout(5):
            await self.task


SHOW_ALL = (
    RelabelConfig(action="labelmap", regex="__syslog_(.*)"),
)  # fmt: skip


@asynccontextmanager
async def listening(
    *rules: RelabelConfig, hostname: str = "peer.example.", **keys: Any
) -> AsyncIterator[Rig]:
    """Run a source with the keys of its section."""
    config = SyslogConfig(**{"listen_address": "127.0.0.1:0", **keys})
    sink, counts = Sink(), Counts()
    source = SyslogSource(
        "job",
        config,
        partial(relabel, rules=rules),
        sink,
        counts,
        hostnames=Hostnames(lambda _: hostname),
    )
    task = asyncio.create_task(source.run())
    async with asyncio.timeout(5):
        await source.listening.wait()
    rig = Rig(source, sink, counts, task)
    try:
        yield rig
    finally:
        sink.room.set()
        await rig.stop()
