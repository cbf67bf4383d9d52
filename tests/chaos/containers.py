"""Scenarios: containers come, go and change, and Docker's daemon with them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from .faults import REFUSED
from .plan import Plan
from .scenario import Scenario
from .world import World
from .writers import Writer


# How long the shipper may take to bring what it has read into safety once the log that
# it came from is gone.
SAFE_SECONDS = 3.0


async def gone(world: World) -> None:
    """Start containers in an outage, let them be read, remove them."""
    lines = 60_000 if world.long else 3_000
    plans = [Plan(f"w{n}", lines, lines // 2, pad=80) for n in range(3)]
    writers = [await world.write(plan) for plan in plans]
    talking = await world.write(Plan("talking", 500_000, 500))
    await world.writers.finish(*writers)
    await world.until_read(6 * lines)
    await world.pause(0.5, 2)
    talking.complete = 0
    for writer in (*writers, talking):
        await world.writers.remove(writer)


async def removed(world: World) -> None:
    """Removed in an outage; the shipper lives on."""
    async with world.proxy.during(REFUSED):
        await gone(world)
        await world.pause(2, 4)


async def removed_killed(world: World) -> None:
    """Removed in an outage, then SIGKILL."""
    async with world.proxy.during(REFUSED):
        await gone(world)
        await asyncio.sleep(SAFE_SECONDS)
        await world.shipper.kill()
        await world.shipper.start()
        await world.pause(1, 3)
    await world.pause(1, 2)
    await world.shipper.kill()
    await world.shipper.start()


async def removed_stopped(world: World) -> None:
    """Removed in an outage, then SIGTERM at once, and started again."""
    async with world.proxy.during(REFUSED):
        await gone(world)
        for _ in range(2):
            await world.shipper.terminate()
            await world.shipper.start()
            await world.pause(1, 3)


async def short_lived(world: World) -> None:
    """Containers that live for 100 ms and are removed at once.

    A busy machine of CI needs longer to start the next process than they live.
    """
    count, life = (60, 0.1) if world.long else (12, 0.3)
    started: list[Writer] = []
    for first in range(0, count, 4):
        plans = [
            Plan(f"s{n}", 20, 0, rm=True, linger=life) for n in range(first, first + 4)
        ]
        started += await asyncio.gather(*map(world.write, plans))
        await world.pause(0.0, 0.5)
    await world.writers.finish(*started)


async def changes(world: World) -> None:
    """Restart, pause, rename, kill for want of memory."""
    docker, rounds = world.writers.docker, 4 if world.long else 1
    plans = {
        name: Plan(name, 6000 * rounds, 1000, holds=True)
        for name in ("restarted", "paused", "renamed")
    }
    hungry = Plan(
        "hungry", 500, 500, after='exec awk \'BEGIN{s="x";for(;;)s=s s}\'',
        options=("-m", "24m"),
    )  # fmt: skip
    writers = {name: await world.write(plan) for name, plan in plans.items()}
    oom = await world.write(hungry)
    writers["restarted"].complete = 0
    for number in range(rounds):
        await world.pause(1, 2)
        await docker("restart", "-t", "0", writers["restarted"].container)
        await docker("pause", writers["paused"].container)
        name = world.writers.container_name(f"renamed-{number}")
        await docker("rename", writers["renamed"].container, name)
        await world.pause(0.5, 2)
        await docker("unpause", writers["paused"].container)
        if number % 2:
            await world.shipper.kill()
            await world.shipper.start()
    await world.writers.finish(*writers.values(), oom)


async def daemon_restarts(world: World) -> None:
    """Stop and start the daemon; containers are started again where they ended."""
    await _daemon_restarts(world, live=False)


async def live_restarts(world: World) -> None:
    """Stop and start the daemon under containers that live on."""
    await _daemon_restarts(world, live=True)


async def _daemon_restarts(world: World, *, live: bool) -> None:
    assert world.daemon is not None
    rounds = 4 if world.long else 1
    plans = [Plan(f"w{n}", 5000 * rounds, 800, holds=True) for n in range(3)]
    writers = [await world.write(plan) for plan in plans]
    for number in range(rounds):
        await world.pause(1, 3)
        await world.daemon.stop()
        if number % 2:
            await world.shipper.kill()
            await world.shipper.start()
        await world.pause(0.1, 3)
        await world.daemon.start()
        if not live:
            await _start_again(world, writers)
    await world.writers.finish(*writers)


async def _start_again(world: World, writers: Sequence[Writer]) -> None:
    for writer in writers:
        writer.complete = 0
        await world.writers.docker("start", writer.container)


SCENARIOS = (
    Scenario("removed", removed, short=True),
    Scenario("removed-kill", removed_killed, short=True),
    Scenario("removed-term", removed_stopped, short=True),
    Scenario("short-lived", short_lived, short=True),
    Scenario("changes", changes, short=True),
    Scenario("daemon-restart", daemon_restarts, daemon=(), short=True),
    Scenario("live-restore", live_restarts, daemon=("--live-restore",)),
)
