"""A sink that remembers, a source on a free port, meters that add up."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from shipper.config.syslog import SyslogConfig
from shipper.relabel import RelabelConfig, relabel
from shipper.syslog.hostnames import Hostnames
from shipper.syslog.source import SyslogSource
from tests.shipper.sink import Sink


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
        sink.gate.set()
        await rig.stop()
