"""Scenarios: the store is away, for long, or while the disk is full or logs rotate."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from .faults import REFUSED
from .plan import Plan
from .scenario import Scenario
from .world import World


ROTATED = ("--log-opt", "max-size=1m", "--log-opt", "max-file=3")
BLOCK = bytes(1 << 16)


async def outage(world: World) -> None:
    """5,000 lines a second, and nobody to send them to."""
    seconds = 600 if world.long else 10
    lines = 5000 * (seconds + 20) // 4
    writers = [
        await world.write(Plan(f"w{n}", lines, 2500, pad=60, holds=True))
        for n in range(2)
    ]
    await world.pause(3, 6)
    async with world.proxy.during(REFUSED):
        await asyncio.sleep(seconds)
    await world.writers.finish(*writers, seconds=seconds + 120)


async def full_disk(world: World) -> None:
    """Positions and spool have no room: before, during and after an outage."""
    lines = 40_000 if world.long else 4_000
    writers = [await world.write(Plan(f"w{n}", lines, 2000)) for n in range(3)]
    await world.pause(1, 3)
    filler = world.state / "filler"
    await asyncio.to_thread(fill, filler)
    await world.pause(1, 3)
    async with world.proxy.during(REFUSED):
        await world.pause(2, 5)
        await world.shipper.kill()
        await world.shipper.start()
        await world.pause(2, 5)
    await world.pause(1, 2)
    async with world.proxy.during(REFUSED):
        await world.pause(1, 3)
        filler.unlink()
        await world.pause(2, 5)
        await world.shipper.terminate()
        await asyncio.to_thread(fill, filler)
        await world.shipper.start()
        await world.pause(1, 3)
    await world.pause(1, 3)
    filler.unlink()
    await world.writers.finish(*writers)


def fill(path: Path) -> None:
    """Write to *path* until the disk is full."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(BLOCK):
            pass
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(b"\0"):
            pass


async def rotation(world: World) -> None:
    """Docker keeps 3 MB of a log that grows by 5,000 lines a second in an outage."""
    seconds = 45 if world.long else 12
    plan = Plan("rotated", 2500 * seconds, 5000, pad=60, options=ROTATED)
    writer = await world.write(plan)
    await world.pause(3, 5)
    async with world.proxy.during(REFUSED):
        await asyncio.sleep(seconds / 3)
    await world.writers.finish(writer)


async def fast_rotation(world: World) -> None:
    """No outage, but Docker rotates ever faster: up to 50,000 lines a second."""
    seconds = 10 if world.long else 4
    for rate in (10_000, 25_000, 50_000):
        plan = Plan(f"r{rate}", rate // 2 * seconds, rate, pad=30, options=ROTATED)
        await world.writers.finish(await world.write(plan))


SCENARIOS = (
    Scenario("outage", outage, settle=1200, long_only=True),
    Scenario("disk-full", full_disk, quota=16 << 20, short=True),
    Scenario("rotation", rotation, docker_loses=True, short=True),
    Scenario("fast-rotation", fast_rotation, docker_loses=True, long_only=True),
)
