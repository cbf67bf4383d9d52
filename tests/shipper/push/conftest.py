"""A receiver on a free port in front of a sink that acknowledges when told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp

from shipper.config.push import PushConfig, PushServerConfig
from shipper.push.receiver import Limits
from shipper.push.source import PushSource
from shipper.relabel import RelabelConfig, relabel
from tests.shipper.sink import Sink


class Counts(Counter[str]):
    """Meters by name."""

    def answered(self, status: int) -> None:
        self[str(status)] += 1

    def entries(self, count: int) -> None:
        self["entries"] += count

    def filtered(self, count: int) -> None:
        self["filtered"] += count

    def unacknowledged(self, count: int) -> None:
        self["unacknowledged"] += count


@dataclass
class Rig:
    """A source that listens, and a client for it."""

    source: PushSource
    sink: Sink
    counts: Counts
    session: aiohttp.ClientSession
    task: asyncio.Task[None]

    async def post(
        self, path: str, body: bytes, kind: str = "application/json", **headers: str
    ) -> tuple[int, str]:
        """Return status and text of the answer."""
        sent = {"Content-Type": kind} if kind else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://{self.source.address}{path}"
        async with self.session.post(
            url, data=body, headers=sent, skip_auto_headers=["Content-Type"]
        ) as response:
            return response.status, await response.text()

    async def push(self, body: bytes, **headers: str) -> tuple[int, str]:
        return await self.post("/loki/api/v1/push", body, **headers)


@asynccontextmanager
async def receiving(
    *rules: RelabelConfig,
    limits: Limits | None = None,
    server: PushServerConfig | None = None,
    **keys: Any,
) -> AsyncIterator[Rig]:
    """Run a source with the keys of its section."""
    server = server or PushServerConfig(http_listen_address="127.0.0.1")
    config = PushConfig(server=server, **keys)
    sink, counts = Sink(), Counts()
    source = PushSource(
        "job", config, partial(relabel, rules=rules), sink, counts, limits=limits
    )
    task = asyncio.create_task(source.run())
    async with asyncio.timeout(5):
        await source.listening.wait()
    async with aiohttp.ClientSession() as session:
        try:
            yield Rig(source, sink, counts, session, task)
        finally:
            source.stop_reading()
            async with asyncio.timeout(5):
                await task
