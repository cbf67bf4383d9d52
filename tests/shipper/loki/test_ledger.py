from __future__ import annotations

import asyncio
import random

import pytest

from shipper.loki.ledger import (
    ENTRY_COST_BYTES,
    METADATA_COST_BYTES,
    TICKET_COST_BYTES,
    Ledger,
    Limits,
    Ticket,
)
from shipper.pipeline.entry import Entry

from .conftest import Journal


def entry(number: int, size: int = 10) -> Entry:
    return Entry(number, b"x" * size)


def enter(ledger: Ledger, one: Entry, cursor: Journal) -> Ticket:
    return ledger.enter((((), (one,)),), cursor)


def test_acknowledges_in_reading_order_whatever_is_decided_first() -> None:
    ledger, cursor = Ledger(1, Limits()), Journal()
    a, b, c = (enter(ledger, entry(n), cursor) for n in range(3))
    ledger.settle([c])
    ledger.settle([b])
    assert cursor.acknowledged == []
    ledger.settle([a])
    assert [e.timestamp_ns for e in cursor.acknowledged] == [0, 1, 2]
    assert (ledger.held_bytes, ledger.held_entries) == (0, 0)


def test_metadata_is_memory_too() -> None:
    ledger, cursor = Ledger(1, Limits()), Journal()
    rich = entry(1)._replace(metadata=(("trace_id", "x" * 1000),))
    ticket = enter(ledger, rich, cursor)
    plain = 10 + ENTRY_COST_BYTES + TICKET_COST_BYTES
    assert ledger.held_bytes == plain + 8 + 1000 + METADATA_COST_BYTES
    ledger.settle([ticket])
    assert ledger.held_bytes == 0


def test_waits_for_every_client() -> None:
    ledger, cursor = Ledger(2, Limits()), Journal()
    ticket = enter(ledger, entry(1), cursor)
    ledger.settle([ticket])
    assert cursor.acknowledged == []
    ledger.settle([ticket])
    assert cursor.acknowledged == [entry(1)]


def random_run(
    ledger: Ledger, number: int, cursor: Journal, chance: random.Random
) -> Ticket:
    """Enter a few entries of one or two streams together."""
    streams = [
        ((("stream", name),), [entry(number) for _ in range(chance.randint(1, 4))])
        for name in ("a", "b")[: chance.randint(1, 2)]
    ]
    return ledger.enter(streams, cursor)


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_decisions_by_any_client(seed: int) -> None:
    chance = random.Random(seed)
    ledger, cursors = Ledger(3, Limits()), [Journal(), Journal()]
    tickets = [
        random_run(ledger, n, chance.choice(cursors), chance) for n in range(200)
    ]
    decisions = [ticket for ticket in tickets for _ in range(ticket.undecided)]
    chance.shuffle(decisions)
    while decisions:
        size = chance.randint(1, 20)
        ledger.settle(decisions[:size])
        del decisions[:size]
    for cursor in cursors:
        assert cursor.acknowledged == [
            one for t in tickets if t.account.cursor is cursor for one in t.entries()
        ]
    assert (ledger.held_bytes, ledger.held_entries) == (0, 0)


def test_limits_of_one_cursor_of_all_and_the_reserve() -> None:
    size = 1000
    cost = size + ENTRY_COST_BYTES + TICKET_COST_BYTES
    limits = Limits(
        total_bytes=10 * cost, cursor_bytes=6 * cost, reserved_bytes=2 * cost
    )
    ledger, greedy, second, third = Ledger(1, limits), Journal(), Journal(), Journal()

    def fill(cursor: Journal) -> int:
        count = 0
        while ledger.admits([entry(count, size)], cursor):
            enter(ledger, entry(count, size), cursor)
            count += 1
        return count

    assert fill(greedy) == 6  # its own limit
    assert fill(second) == 4  # what is left of all
    assert fill(third) == 2  # the reserve, although nothing is left
    assert not ledger.admits([entry(0, size)], greedy)


def test_a_line_over_every_limit_goes_alone() -> None:
    ledger, cursor = Ledger(1, Limits(1, 1, 1)), Journal()
    huge = entry(1, 10_000)
    assert ledger.admits([huge], cursor)
    ticket = enter(ledger, huge, cursor)
    assert not ledger.admits([entry(2)], cursor)
    ledger.settle([ticket])
    assert ledger.admits([huge], cursor)


async def test_room_wakes_when_something_is_decided() -> None:
    ledger, cursor = Ledger(1, Limits(1, 1, 1)), Journal()
    ticket = enter(ledger, entry(1), cursor)
    waiters = [asyncio.create_task(ledger.room()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiters)
    ledger.settle([ticket])
    async with asyncio.timeout(5):
        await asyncio.gather(*waiters)


class Unhashable(Journal):
    __hash__ = None  # type: ignore[assignment]  # as a plain dataclass is


def test_cursors_are_told_apart_by_identity() -> None:
    ledger, one, two = Ledger(1, Limits()), Unhashable(), Unhashable()
    first, second = enter(ledger, entry(1), one), enter(ledger, entry(2), two)
    ledger.settle([second])
    assert (one.acknowledged, two.acknowledged) == ([], [entry(2)])
    ledger.settle([first])
    assert one.acknowledged == [entry(1)]
