"""Scenarios: the quiet one, and those that end the shipper or the store."""

from __future__ import annotations

import signal

from .plan import Plan
from .scenario import Scenario
from .world import World


async def quiet(world: World) -> None:
    """Disturb nothing: short lines, long lines, a terminal."""
    seconds = 20 if world.long else 5
    plans = [
        Plan("steady", 500 * seconds, 1000),
        Plan("bursty", 1000 * seconds, 2000, pad=120),
        Plan("long", 40, 40, pad=20_000),
        Plan("tty", 50 * seconds, 100, tty=True),
    ]
    await world.writers.finish(*[await world.write(plan) for plan in plans])


async def kills(world: World) -> None:
    """SIGKILL at random moments, during the start as well."""
    count = 50 if world.long else 6
    lines = 700 * count if world.long else 3000
    writers = [await world.write(Plan(f"w{n}", lines, 800)) for n in range(3)]
    for _ in range(count):
        await world.pause(0.3, 2.5)
        await world.shipper.kill()
        await world.pause(0.0, 0.5)
        await world.shipper.start()
    await world.writers.finish(*writers)


async def terms(world: World) -> None:
    """SIGTERM and start, with a store that answers and with one that does not."""
    count = 12 if world.long else 3
    writers = [await world.write(Plan(f"w{n}", 1000 * count, 800)) for n in range(3)]
    for number in range(count):
        await world.pause(0.7, 2.0)
        if number % 3 == 2:
            await world.store.stop(signal.SIGKILL)
            await world.pause(0.1, 1.0)
        await world.shipper.terminate()
        await world.pause(0.0, 0.5)
        await world.shipper.start()
        if not world.store.running:
            await world.pause(0.1, 1.0)
            await world.store.start()
    await world.writers.finish(*writers)


async def store_restarts(world: World) -> None:
    """SIGTERM and SIGKILL to the store, away for a while each time."""
    count = 8 if world.long else 2
    writers = [await world.write(Plan(f"w{n}", 1500 * count, 800)) for n in range(3)]
    for number in range(count):
        await world.pause(0.5, 2.0)
        await world.store.stop(signal.SIGKILL if number % 2 else signal.SIGTERM)
        await world.pause(0.5, 4.0 if world.long else 1.5)
        await world.store.start()
    await world.writers.finish(*writers)


SCENARIOS = (
    Scenario("quiet", quiet),
    Scenario("kill", kills, short=True),
    Scenario("term", terms, short=True),
    Scenario("store-restarts", store_restarts, short=True),
)
