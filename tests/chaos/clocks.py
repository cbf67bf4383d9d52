"""Scenario: somebody sets the clock of the machine, forwards and backwards."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from .plan import Plan
from .scenario import Scenario
from .world import World


JUMP_SECONDS = 90.0


async def clock(world: World) -> None:
    """90 s forwards, back, 90 s backwards, back; lines flow all the time."""
    seconds = 30
    writers = [await world.write(Plan(f"w{n}", 400 * seconds, 800)) for n in range(2)]
    with restored() as shift:
        for offset in (JUMP_SECONDS, 0.0, -JUMP_SECONDS, 0.0):
            await world.pause(2, 4)
            shift(offset)
            world.diary(f"clock: {offset:+.0f} s")
            if world.rng.random() < 0.5:
                await world.shipper.kill()
                await world.shipper.start()
        await world.pause(2, 4)
    await world.writers.finish(*writers)


class Clock:
    """Sets the clock so many seconds off the time that the monotonic one tells."""

    def __init__(self) -> None:
        self._difference = time.time() - time.monotonic()

    def __call__(self, offset: float) -> None:
        """Set the clock *offset* seconds off; raises PermissionError."""
        now = time.monotonic() + self._difference + offset
        time.clock_settime(time.CLOCK_REALTIME, now)


@contextlib.contextmanager
def restored() -> Iterator[Clock]:
    """Give the clock, and set it right after; skip where nobody may set it."""
    clock = Clock()
    try:
        clock(0.0)
    except PermissionError as error:
        pytest.skip(f"the clock cannot be set: {error}")
    try:
        yield clock
    finally:
        clock(0.0)


SCENARIOS = (Scenario("clock", clock, long_only=True),)
