"""Scenarios: what stands before the store answers badly, late, or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from . import faults
from .faults import Fault
from .plan import Plan
from .scenario import Scenario
from .world import World


def answering(*wrong: Fault) -> Callable[[World], Awaitable[None]]:
    """Make a scenario of each fault, for all requests and then for a share of them."""

    async def run(world: World) -> None:
        span = 5.0 if world.long else 1.5
        lines = int((2 * span + 3) * len(wrong) * 400)
        plans = [Plan(f"w{n}", lines, 800, pad=40 + 200 * n) for n in range(3)]
        writers = [await world.write(plan) for plan in plans]
        for fault in wrong:
            async with world.proxy.during(fault):
                await world.pause(span * 0.7, span * 1.3)
            await world.pause(0.3, 1.5)
            share = world.rng.uniform(0.2, 0.7)
            async with world.proxy.during(replace(fault, share=share)):
                await world.pause(span * 0.7, span * 1.3)
        await world.writers.finish(*writers)
        count = sum(world.proxy.answers[fault.name] for fault in wrong)
        world.notes.append(f"{count} bad answers")

    return run


SCENARIOS = (
    Scenario("refused", answering(faults.REFUSED)),
    Scenario("429", answering(faults.BUSY, faults.BUSY_UNTIL), short=True),
    Scenario("500-503", answering(faults.BROKEN, faults.UNAVAILABLE), short=True),
    Scenario("400", answering(faults.UNKNOWN), short=True),
    Scenario("413", answering(faults.LARGE, faults.LARGER), short=True),
    Scenario("silence", answering(faults.SILENT), short=True),
    Scenario("cut", answering(faults.CUT), short=True),
    Scenario("slow", answering(faults.SLOW)),
)
