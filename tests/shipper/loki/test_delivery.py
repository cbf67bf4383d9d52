"""Refusals without a reason: what is good is never lost, what is bad wedges nothing."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from shipper.loki.doubt import ALONE_SECONDS, LEAST_REFUSALS
from shipper.loki.outcome import Answer
from shipper.pipeline.entry import Entry

from .conftest import Journal, Push, ScriptedLoki, Time
from .test_outcome import TOO_LARGE
from .test_sender import DB, SETTINGS, WEB, Rig, entries, lines, rig, until


ODD = Answer(400, "upstream sent something odd")
REFUSALS = [ODD, Answer(413, "Request Entity Too Large"), Answer(500, TOO_LARGE)]
AT_ONCE = replace(SETTINGS, batch_wait_seconds=0)


def limited(it: Rig, reason: str, action: str) -> float:
    return it.value("shipper_limited_entries_total", reason=reason, action=action)


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("answer", REFUSALS)
async def test_a_proxy_that_refuses_everything_costs_no_line(
    time: Time, answer: Answer, count: int
) -> None:
    """Many streams have evidence of one another, and one of its own neighbours."""
    good_again = time.now + 3 * ALONE_SECONDS
    loki = ScriptedLoki(lambda p: answer if time.now < good_again else Answer(204))
    cursors = {name: Journal() for name in ("a", "b", "c")}
    async with rig(time) as it:
        it.connect(loki)
        for name, cursor in cursors.items():
            for entry in entries(count):
                await it.sender.put((("name", name),), entry, cursor)
        await until(lambda: time.now > good_again - ALONE_SECONDS)
        assert it.reason() == f"Loki at loki:3100: HTTP {answer.status}: {answer.body}"
        await until(lambda: all(len(c.acknowledged) == count for c in cursors.values()))
        assert it.dropped() == 0
        assert it.reason() is None
    assert sorted(lines(loki.stored)) == sorted(entries(count) * 3)


@pytest.mark.parametrize("answer", REFUSALS)
async def test_one_stream_alone_with_a_proxy_that_refuses_everything(
    time: Time, answer: Answer
) -> None:
    good_again = time.now + 5 * ALONE_SECONDS
    loki = ScriptedLoki(lambda p: answer if time.now < good_again else Answer(204))
    web = Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(20):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 20)
        assert it.dropped() == 0
    assert sorted(lines(loki.stored)) == entries(20)
    assert web.acknowledged == entries(20)


@pytest.mark.parametrize("rate", [0.1, 0.3])
@pytest.mark.parametrize("seed", range(8))
async def test_refusals_at_random_cost_no_line(
    time: Time, seed: int, rate: float
) -> None:
    chance = random.Random(seed)

    def script(push: Push) -> Answer:
        return chance.choice(REFUSALS) if chance.random() < rate else Answer(204)

    loki, total = ScriptedLoki(script), 300
    streams = {f"s{n}": Journal() for n in range(4)}
    async with rig(time) as it:
        it.connect(loki, replace(SETTINGS, batch_size_bytes=chance.choice([20, 200])))
        for entry in entries(total):
            for name, cursor in streams.items():
                await it.sender.put((("name", name),), entry, cursor)
        await until(lambda: all(len(c.acknowledged) == total for c in streams.values()))
        assert it.dropped() == 0
    assert sorted(lines(loki.stored)) == sorted(entries(total) * len(streams))


@pytest.mark.parametrize("answer", REFUSALS)
@pytest.mark.parametrize("place", [0, 7, 15])
async def test_one_bad_entry_is_dropped_when_its_neighbours_are_stored(
    time: Time, answer: Answer, place: int
) -> None:
    bad = entries(16)[place]
    loki = ScriptedLoki(lambda p: answer if bad in p.entries else Answer(204))
    web = Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(16):
            await it.sender.put(WEB, entry, web)
        if place == 15:  # nothing after it in its batch: the next one must tell
            await until(lambda: len(web.acknowledged) == 15)
            await it.sender.put(WEB, entries(17)[16], web)
        await until(lambda: len(web.acknowledged) >= 16)
        assert it.dropped() == 1
        assert it.reason() is None
    alone = [push for push in loki.pushes if push.entries == [bad]]
    assert len(alone) in {LEAST_REFUSALS, LEAST_REFUSALS + 1}
    kept = [entry for entry in entries(16) if entry != bad]
    assert [entry for entry in lines(loki.stored) if entry in kept] == kept
    assert time.now < 1000 + ALONE_SECONDS


async def test_bad_entries_side_by_side_are_found_all(time: Time) -> None:
    bad = entries(9)[2:6]
    loki = ScriptedLoki(
        lambda p: ODD if any(entry in bad for entry in p.entries) else Answer(204)
    )
    web = Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(9):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 9)
        assert it.dropped() == len(bad)
        assert it.value("shipper_refused_entries_total", reason="bad_request") == 4
    assert sorted(lines(loki.stored)) == [e for e in entries(9) if e not in bad]


async def test_an_entry_alone_in_the_world_is_dropped_after_ten_minutes(
    time: Time,
) -> None:
    bad, good = entries(2)
    loki = ScriptedLoki(lambda p: ODD if bad in p.entries else Answer(204))
    web = Journal()
    async with rig(time) as it:
        it.connect(loki, AT_ONCE)
        await it.sender.put(WEB, bad, web)
        await until(lambda: len(loki.pushes) == 2)
        assert it.reason() == f"Loki at loki:3100: HTTP 400: {ODD.body}"
        await until(lambda: web.acknowledged)
        assert time.now - 1000 >= ALONE_SECONDS
        assert it.dropped() == 1
        assert it.reason() is None
        await it.sender.put(WEB, good, web)
        await until(lambda: len(web.acknowledged) == 2)
    assert lines(loki.stored) == [good]


async def test_another_stream_is_evidence_enough(time: Time) -> None:
    bad, good = entries(2)
    loki = ScriptedLoki(lambda p: ODD if bad in p.entries else Answer(204))
    web, db = Journal(), Journal()
    async with rig(time) as it:
        it.connect(loki, AT_ONCE)
        await it.sender.put(WEB, bad, web)
        await until(lambda: len(loki.pushes) == 2)
        await it.sender.put(DB, good, db)
        await until(lambda: web.acknowledged)
        assert it.dropped() == 1
    assert time.now < 1000 + 60
    assert len(loki.pushes) == LEAST_REFUSALS + 1


async def test_max_retries_ends_it_earlier(time: Time) -> None:
    loki, web = ScriptedLoki(lambda p: ODD), Journal()
    async with rig(time) as it:
        it.connect(loki, replace(AT_ONCE, max_retries=3))
        await it.sender.put(WEB, entries(1)[0], web)
        await until(lambda: web.acknowledged)
        assert it.dropped() == 1
    assert len(loki.pushes) == 3


async def test_drain_leaves_an_entry_under_suspicion_undecided(time: Time) -> None:
    loki, web = ScriptedLoki(lambda p: ODD), Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(3):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(loki.pushes) == 9)
        assert await it.sender.drain(5) == 3
        assert it.dropped() == 0
    assert not web.acknowledged


@pytest.mark.parametrize("answer", REFUSALS[1:])
async def test_a_large_line_that_is_too_large_is_cut_until_it_fits(
    time: Time, answer: Answer
) -> None:
    def script(push: Push) -> Answer:
        size = sum(len(entry.line) for entry in push.entries)
        return answer if size > 80_000 else Answer(204)

    loki, web = ScriptedLoki(script), Journal()
    long = Entry(10**18, b"x" * 300_000)
    async with rig(time) as it:
        it.connect(loki)
        for entry in (long, *entries(3)):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 4)
        assert it.dropped() == 0
        assert limited(it, "too_large", "cut") == 1
    (cut,) = [e for e in lines(loki.stored) if len(e.line) > 100]
    marker = "…[cut by shipper: 300000 bytes]".encode()
    assert cut.line == b"x" * (75_000 - len(marker)) + marker
    assert web.acknowledged == [long, *entries(3)], "positions know the whole line"


async def test_a_small_line_that_is_too_large_is_dropped_like_any_other(
    time: Time,
) -> None:
    small = Entry(10**18, b"x" * 60_000)
    answer = REFUSALS[1]
    loki = ScriptedLoki(lambda p: answer if small in p.entries else Answer(204))
    web = Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in (small, *entries(3)):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 4)
        assert it.dropped() == 1
        assert it.value("shipper_refused_entries_total", reason="too_large") == 1
    assert sorted(lines(loki.stored)) == entries(3)
