"""What is known of a Loki's limits, how long, and by which clock."""

from __future__ import annotations

import asyncio

import pytest

from shipper.loki.config_page import TenantLimits
from shipper.loki.fit import ENDLESS, Bounds
from shipper.loki.knowledge import MARGIN_NS, MAX_TENANTS, TOLD_SECONDS, Knowledge
from shipper.loki.loki_limits import UNKNOWN, LokiLimits
from shipper.pipeline.entry import Entry

from .conftest import Time
from .test_outcome import TOO_LONG


SECOND = 10**9
NOW = 1_800_000_000 * SECOND
PAGE = TenantLimits(LokiLimits(max_age_ns=3600 * SECOND, ahead_ns=600 * SECOND))
LONG = [Entry(NOW, b"x" * 300_000)]


class World:
    """Our wall clock, apart from the monotonic one."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.wall_ns = NOW
        self.knowledge = Knowledge(time, lambda: self.wall_ns)

    def window(self) -> tuple[float, float]:
        """Return the oldest and newest time that is sent, in seconds from NOW."""
        bounds = self.knowledge.bounds("")
        return (
            (bounds.oldest_ns + MARGIN_NS - NOW) / SECOND,
            (bounds.newest_ns - MARGIN_NS - NOW) / SECOND,
        )


@pytest.fixture
def world(time: Time) -> World:
    return World(time)


def test_nothing_is_known_at_first(world: World) -> None:
    assert world.knowledge.bounds("a") == Bounds(UNKNOWN, -ENDLESS, ENDLESS)


@pytest.mark.parametrize(
    ("loki", "ours", "window"),
    [
        (0, 0, (-3600, 600)),
        (None, 0, (-3600, 600)),
        (None, 900, (-2700, 1500)),
        # two clocks: only what both call too old or too new is dropped
        (0, 900, (-3600, 1500)),
        (0, -900, (-4500, 600)),
        (900, 0, (-3600, 1500)),
    ],
)
def test_the_time_at_loki(
    world: World, loki: int | None, ours: int, window: tuple[float, float]
) -> None:
    """*loki* and *ours* are seconds that the clocks show beyond NOW."""
    date = None if loki is None else NOW + loki * SECOND
    world.knowledge.answered(PAGE, date)
    world.wall_ns += ours * SECOND
    assert world.window() == window
    world.time.now += 100  # lokis clock goes on with the monotonic one
    world.wall_ns += 100 * SECOND
    assert world.window() == (window[0] + 100, window[1] + 100)


def test_a_limit_that_was_told_is_believed_for_ten_minutes(world: World) -> None:
    known = world.knowledge
    known.refused("a", TOO_LONG, (), LONG)
    assert known.bounds("a").limits.line_bytes == 262_144
    assert known.bounds("b").limits == UNKNOWN
    world.time.now += TOLD_SECONDS - 1
    assert known.bounds("a").limits.line_bytes == 262_144
    world.time.now += 1
    assert known.bounds("a").limits == UNKNOWN


def test_what_was_told_goes_before_what_was_read(world: World) -> None:
    known = world.knowledge
    known.answered(TenantLimits(LokiLimits(line_bytes=1 << 20)))
    known.refused("a", TOO_LONG, (), LONG)
    assert known.bounds("a").limits.line_bytes == 262_144
    assert known.bounds("b").limits.line_bytes == 1 << 20
    known.refused("a", "odd", (), LONG)
    assert known.bounds("a").limits.line_bytes == 262_144


def test_a_page_that_is_gone_is_forgotten(world: World) -> None:
    world.knowledge.answered(PAGE, NOW)
    world.knowledge.answered(None)
    assert world.knowledge.bounds("").limits == UNKNOWN


def test_tenants_do_not_pile_up(world: World) -> None:
    for number in range(3 * MAX_TENANTS):
        world.knowledge.refused(str(number), TOO_LONG, (), LONG)
    assert len(world.knowledge._told) <= MAX_TENANTS


async def test_the_first_push_waits_a_moment_for_the_answer(world: World) -> None:
    known = world.knowledge
    await known.first_answer()  # nobody asks: nothing to wait for
    known.expect()
    waiting = asyncio.create_task(known.first_answer())
    await asyncio.sleep(0)
    assert not waiting.done()
    known.answered(None)
    await waiting
    known.expect()
    await known.first_answer()


async def test_the_first_push_does_not_wait_for_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipper.loki.knowledge.FIRST_ANSWER_SECONDS", 0.01)
    world.knowledge.expect()
    await world.knowledge.first_answer()  # with no answer ever
    monkeypatch.setattr("shipper.loki.knowledge.FIRST_ANSWER_SECONDS", 3600)
    await world.knowledge.first_answer()  # and only once
