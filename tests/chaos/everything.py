"""Scenario: all of it at once, at random."""

from __future__ import annotations

import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from . import faults
from .containers import SAFE_SECONDS
from .plan import Plan
from .scenario import Scenario
from .world import World


FAULTS = (
    faults.REFUSED, faults.BUSY, faults.BUSY_UNTIL, faults.BROKEN, faults.UNAVAILABLE,
    faults.LARGE, faults.SILENT, faults.CUT, faults.SLOW,
)  # fmt: skip


async def everything(world: World) -> None:
    """One thing after the other goes wrong while lines flow and containers go."""
    seconds = 240 if world.long else 20
    plans = [Plan(f"w{n}", 400 * seconds, 1000, pad=40 + 60 * n) for n in range(4)]
    writers = [await world.write(plan) for plan in plans]
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        action = world.rng.choice(ACTIONS)
        await action(world, number)
        await world.pause(0.0, 2.0)
        number += 1
    await world.writers.finish(*writers)
    world.notes.append(f"{number} events")


async def kill(world: World, _number: int) -> None:
    await world.shipper.kill()
    await world.pause(0.0, 1.0)
    await world.shipper.start()


async def terminate(world: World, _number: int) -> None:
    await world.shipper.terminate()
    await world.shipper.start()


async def fault(world: World, _number: int) -> None:
    chosen = world.rng.choice(FAULTS)
    if not chosen.refuses and world.rng.random() < 0.5:
        chosen = replace(chosen, share=world.rng.uniform(0.1, 0.9))
    async with world.proxy.during(chosen):
        await world.pause(0.5, 6.0)
        if world.rng.random() < 0.3:
            await kill(world, 0)
            await world.pause(0.5, 2.0)


async def store(world: World, _number: int) -> None:
    await world.store.stop(world.rng.choice((signal.SIGTERM, signal.SIGKILL)))
    await world.pause(0.2, 3.0)
    await world.store.start()


async def guest(world: World, number: int) -> None:
    """Let a container come and go in an outage."""
    async with world.proxy.during(faults.REFUSED):
        await world.shipper.until_up()
        writer = await world.write(Plan(f"g{number}", 200, 400))
        await world.writers.finish(writer)
        await world.pause(SAFE_SECONDS, SAFE_SECONDS + 1)
        await world.writers.remove(writer)
        await world.pause(SAFE_SECONDS, SAFE_SECONDS + 1)
        if world.rng.random() < 0.5:
            await kill(world, 0)


async def passing(world: World, number: int) -> None:
    """Let a container live for 100 ms, while there is a shipper to see it."""
    await world.shipper.until_up()
    await world.pause(1.0, 2.0)
    await world.write(Plan(f"p{number}", 20, 0, rm=True, linger=0.1))


async def paused(world: World, _number: int) -> None:
    docker, writer = world.writers.docker, world.writers.all[0]
    await docker("pause", writer.container)
    await world.pause(0.5, 3.0)
    await docker("unpause", writer.container)


ACTIONS: tuple[Callable[[World, int], Awaitable[None]], ...] = (
    kill, terminate, fault, fault, store, guest, passing, paused,
)  # fmt: skip


SCENARIOS = (Scenario("everything", everything, settle=180, long_only=True),)
