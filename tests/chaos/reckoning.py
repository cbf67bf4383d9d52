"""The end of a scenario: wait until all has arrived, ask for it, count."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp

from .kept import Kept
from .lives import DROPS, GAPS, total
from .plan import Key
from .readback import Found, Reader
from .verdict import Row, Tally
from .world import World
from .writers import Writer


IN_FLIGHT = ("shipper_queue_entries", "shipper_spool_bytes")
# So long the store must not have grown when all is there, and when it is not.
SETTLED_SECONDS = 1.5
STILL_SECONDS = 20.0


@dataclass
class Growth:
    """How many lines the store has, and since when."""

    count: int = -1
    _since: float = field(default_factory=time.monotonic)

    def still(self, count: int) -> float:
        """Return for how many seconds it has been *count*."""
        if count != self.count:
            self.count, self._since = count, time.monotonic()
        return time.monotonic() - self._since


async def settle(world: World, seconds: float) -> None:
    """Wait until nothing is in flight and the store has all that was kept.

    It is over after *seconds*, and when the shipper has nothing left but the store did
    not grow for 20 s: then something is missing.
    """
    wanted = await world.writers.read_all()
    reader, growth = Reader(world.store.url), Growth()
    deadline = time.monotonic() + seconds
    async with session() as client:
        while time.monotonic() < deadline:
            still = growth.still(await reader.count(client))
            if await idle(world):
                if growth.count >= wanted and still > SETTLED_SECONDS:
                    return
                if still > STILL_SECONDS:
                    break
            await asyncio.sleep(0.5 if growth.count < 200_000 else 2.0)
    world.notes.append(f"not settled: {growth.count:,} of {wanted:,}")


async def idle(world: World) -> bool:
    """Return whether the shipper has nothing in flight, or is not there at all."""
    if not world.shipper.running:
        return True
    page = await world.shipper.scrape(3.0)
    return bool(page) and not any(total(page, name) for name in IN_FLIGHT)


async def count(world: World, name: str, *, docker_loses: bool) -> Row:
    """Ask the store for everything; return the row of the scenario *name*."""
    row = Row(name, notes=world.notes, failures=world.failures)
    reader = Reader(world.store.url)
    async with session() as client:
        for writer in world.writers.all:
            if not writer.plan.refused:
                found = await reader.read(client, writer.plan)
                add(row.tally, writer, found, holes=docker_loses or not writer.removed)
    halves = sum(writer.halves() for writer in world.writers.all)
    if reader.broken > halves:
        row.failures.append(f"{reader.broken} lines are not as they were written")
    add_shipper(row, world)
    return row


def add(tally: Tally, writer: Writer, found: dict[Key, Found], *, holes: bool) -> None:
    """Count each stream of *writer*."""
    for key in sorted(writer.keys() | set(found)):
        tally.add(
            "/".join(map(str, key)),
            writer.written(key),
            writer.kept.get(key, Kept()),
            found.get(key, Found()),
            holes=holes,
        )


def add_shipper(row: Row, world: World) -> None:
    """Add what the shipper showed of itself over its lives."""
    shipper = world.shipper
    row.gaps = shipper.counted[GAPS]
    if drops := shipper.counted[DROPS]:
        row.notes.append(f"{drops:,} dropped and counted")
    row.peak_mib = shipper.peak_kib / 1024
    lags = [lag for name, lag in shipper.lags.items() if name not in world.slow]
    row.lag = max(lags, default=0.0)
    row.longest_stop = shipper.longest_stop
    row.lives = shipper.lives
    row.failures += [f"crash: {text}" for text in shipper.crashes]


def session() -> aiohttp.ClientSession:
    """Return a client that waits long for large answers."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120))
