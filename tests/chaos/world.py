"""One scenario's own world: containers, shipper, proxy and store."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.shipper.docker.real import PrivateDaemon, RealDocker
from tests.store.test_contract import free_port

from . import promtail
from .diary import Diary
from .faults import Proxy
from .lives import Shipper, total
from .plan import Plan
from .programs import Store
from .writers import Writer, Writers


@dataclass
class World:
    """What a scenario acts on; *rng* is all that is random in it."""

    long: bool
    rng: random.Random
    diary: Diary
    writers: Writers
    store: Store
    proxy: Proxy
    shipper: Shipper
    state: Path
    daemon: PrivateDaemon | None = None
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    # Names of containers whose lag is not held against the shipper.
    slow: set[str] = field(default_factory=set)

    async def write(self, plan: Plan) -> Writer:
        """Start a container that follows *plan*."""
        return await self.writers.start(plan)

    async def pause(self, low: float, high: float) -> None:
        """Let things run for a random time, in seconds."""
        await asyncio.sleep(self.rng.uniform(low, high))

    async def until_read(self, entries: int, seconds: float = 60) -> None:
        """Wait until this life of the shipper has read *entries* lines in all.

        After *seconds* it goes on, and the row says so.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            page = await self.shipper.scrape(1.0)
            if (total(page, "promtail_docker_target_entries_total") or 0) >= entries:
                return
            await asyncio.sleep(0.2)
        self.notes.append(f"not all of {entries} lines read after {seconds:.0f} s")


@asynccontextmanager
async def opened(
    docker: RealDocker,
    rng: random.Random,
    *,
    long: bool,
    state: Path | None = None,
    daemon: PrivateDaemon | None = None,
) -> AsyncIterator[World]:
    """Give a world whose store, proxy and shipper run; end them after.

    Positions and spool are in *state*, or in a folder that is removed with the rest.
    """
    async with AsyncExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-"))
        folder, diary = Path(name), Diary()
        state = state or folder / "state"
        state.mkdir(exist_ok=True)
        store = Store(folder, diary)
        stack.push_async_callback(store.stop)
        await store.start()
        proxy = Proxy(store.url, rng, diary)
        await stack.enter_async_context(proxy.running())
        port, config = free_port(), folder / "promtail.yaml"
        promtail.write(config, docker, state, port, proxy.port)
        shipper = Shipper(folder, config, port, state / "spool", diary)
        await stack.enter_async_context(shipper.watched())
        await shipper.start()
        await shipper.until_up()
        writers = Writers(docker, folder, diary)
        yield World(long, rng, diary, writers, store, proxy, shipper, state, daemon)
