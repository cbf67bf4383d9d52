"""Faults in, promises out: delivered at least once, acknowledged exactly once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given, strategies as st

from shipper.loki.backoff import Backoff
from shipper.loki.courier import HOLD_BACKOFF, MAX_PUSHES_IN_FLIGHT
from shipper.loki.cut import character_end
from shipper.loki.health import Health
from shipper.loki.ledger import ENTRY_COST_BYTES, TICKET_COST_BYTES, Limits
from shipper.loki.outcome import TRANSPORT, Answer
from shipper.loki.sender import Sender
from shipper.loki.settings import ClientSettings, EntryLimits
from shipper.metrics import ShipperMetrics
from shipper.pipeline.entry import Entry, Labels

from .conftest import Journal, Push, ScriptedLoki, Time
from .test_outcome import BEHIND, LABELS, TOO_LARGE, TOO_LONG, TOO_OLD


SETTINGS = ClientSettings(url="http://loki:3100/loki/api/v1/push", host="loki:3100")
WEB: Labels = (("container_name", "web"), ("stream", "stdout"))
DB: Labels = (("container_name", "db"), ("stream", "stderr"))


def entries(count: int, size: int = 20) -> list[Entry]:
    return [Entry(10**18 + n, f"{n:0{size}}".encode()) for n in range(count)]


class Rig:
    """A sender between scripted Lokis and journals."""

    def __init__(self, sender: Sender, metrics: ShipperMetrics, time: Time) -> None:
        self.sender, self.metrics, self.time = sender, metrics, time
        self.health: list[Health] = []

    def connect(self, loki: ScriptedLoki, settings: ClientSettings = SETTINGS) -> None:
        self.health.append(Health(settings.host, self.time))
        self.sender.connect(settings, loki, self.health[-1])

    def value(self, name: str, **labels: str) -> float:
        found = self.metrics.registry.get_sample_value(
            name, {"host": "loki:3100", **labels}
        )
        assert found is not None, f"{name}{labels} is not there"
        return found

    def reason(self) -> str | None:
        return self.health[0].reason

    def dropped(self, reason: str = "ingester_error", tenant: str = "") -> float:
        return self.value(
            "promtail_dropped_entries_total", tenant=tenant, reason=reason
        )


@asynccontextmanager
async def rig(
    time: Time,
    *,
    clients: int = 1,
    limits: Limits | None = None,
    entry_limits: EntryLimits | None = None,
) -> AsyncIterator[Rig]:
    metrics = ShipperMetrics()
    async with (
        asyncio.timeout(30),
        Sender(
            metrics,
            clients=clients,
            limits=limits,
            entry_limits=entry_limits,
            clock=time,
            pause=time.pause,
        ) as sender,
    ):
        yield Rig(sender, metrics, time)


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - conditions of many kinds, no time passes
        await asyncio.sleep(0)


def once(*answers: Answer) -> Callable[[Push], Answer]:
    """Give *answers* in turn, then 204."""
    queue = list(answers)
    return lambda push: queue.pop(0) if queue else Answer(204)


def lines(pushes: list[Push]) -> list[Entry]:
    return [entry for push in pushes for entry in push.entries]


async def test_one_stream_per_push_in_order_with_a_label_text(time: Time) -> None:
    loki, web, db = ScriptedLoki(), Journal(), Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(50):
            await it.sender.put(WEB, entry, web)
            await it.sender.put(DB, entry, db)
        await until(lambda: len(web.acknowledged) == len(db.acknowledged) == 50)
        assert it.value("promtail_sent_entries_total") == 100
        assert it.value("promtail_sent_bytes_total") == it.value(
            "promtail_encoded_bytes_total"
        )
        assert it.reason() is None
    assert sorted(push.labels for push in loki.pushes) == [
        '{container_name="db", stream="stderr"}',
        '{container_name="web", stream="stdout"}',
    ]
    assert lines(loki.pushes[:1]) == entries(50)
    assert web.acknowledged == db.acknowledged == entries(50)


async def test_batches_by_size_and_one_at_a_time_per_stream(time: Time) -> None:
    loki, web = ScriptedLoki(), Journal()
    async with rig(time) as it:
        it.connect(loki, replace(SETTINGS, batch_size_bytes=100))
        for entry in entries(23):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 23)
    assert [len(push.entries) for push in loki.pushes] == [5, 5, 5, 5, 3]
    assert loki.most_in_flight == 1
    assert lines(loki.pushes) == entries(23)


async def test_at_most_so_many_pushes_at_once(time: Time) -> None:
    loki, cursors = ScriptedLoki(), [Journal() for _ in range(40)]
    async with rig(time) as it:
        it.connect(loki)
        for number, cursor in enumerate(cursors):
            await it.sender.put((("n", str(number)),), entries(1)[0], cursor)
        await until(lambda: all(cursor.acknowledged for cursor in cursors))
    assert loki.most_in_flight == MAX_PUSHES_IN_FLIGHT


@pytest.mark.parametrize(
    ("answer", "dropped", "reasons"),
    [
        (Answer(400, TOO_OLD), 1, {"greater_than_max_sample_age": 1}),
        (Answer(400, TOO_LONG), 1, {"line_too_long": 1}),
        (Answer(400, BEHIND), 1, {"too_far_behind": 1}),
        (
            Answer(400, f"4 errors like: {TOO_OLD}"),
            4,
            {"greater_than_max_sample_age": 4},
        ),
        (Answer(400, LABELS), 10, {"invalid_labels": 10}),
    ],
)
async def test_a_400_drops_only_what_loki_named(
    time: Time, answer: Answer, dropped: int, reasons: dict[str, int]
) -> None:
    loki, web = ScriptedLoki(once(answer)), Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(10):
            await it.sender.put(WEB, entry, web)
        await until(lambda: web.acknowledged)
        assert it.dropped() == dropped
        assert it.value("promtail_sent_entries_total") == 10 - dropped
        for reason, count in reasons.items():
            assert it.value("shipper_refused_entries_total", reason=reason) == count
        assert it.reason() is None
    assert len(loki.pushes) == 1, "what Loki stored must not be sent again"
    assert web.acknowledged == entries(10)


@pytest.mark.parametrize(
    "answer", [Answer(413), Answer(500, TOO_LARGE), Answer(400, "snappy: corrupt")]
)
async def test_too_large_is_halved_until_it_fits(time: Time, answer: Answer) -> None:
    loki = ScriptedLoki(lambda p: answer if len(p.entries) > 3 else Answer(204))
    web = Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(20):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 20)
        assert it.dropped() == 0
    assert lines(loki.stored) == web.acknowledged == entries(20)


async def test_one_entry_that_spoils_the_push_is_found_and_dropped(time: Time) -> None:
    bad = entries(16)[11]
    loki = ScriptedLoki(
        lambda p: Answer(400, "bad timestamp") if bad in p.entries else Answer(204)
    )
    web = Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(16):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 16)
        assert it.dropped() == 1
        assert it.value("shipper_refused_entries_total", reason="bad_request") == 1
    assert [e for e in entries(16) if e != bad] == lines(loki.stored)
    assert web.acknowledged == entries(16)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, "Ingestion rate limit exceeded"),
        Answer(500, "no replicas"),
        Answer(503),
        Answer(TRANSPORT, "Connection refused", connected=False),
        Answer(TRANSPORT, "no answer within 10 s"),
    ],
)
async def test_retries_for_ever_with_a_growing_wait(time: Time, answer: Answer) -> None:
    loki, web = ScriptedLoki(once(*[answer] * 60)), Journal()
    async with rig(time) as it:
        it.connect(loki, replace(SETTINGS, batch_wait_seconds=0))
        await it.sender.put(WEB, entries(1)[0], web)
        await until(lambda: web.acknowledged)
        assert it.dropped() == 0
        assert it.value("promtail_batch_retries_total", tenant="") == 60
    for attempt, waited in enumerate(time.waits[:9]):
        assert 0.5 * 2**attempt <= waited <= 1.0 * 2**attempt
    assert time.waits[30:] == [300.0] * 30
    assert len(loki.pushes) == 61


async def test_max_retries_is_honoured_when_it_is_set(time: Time) -> None:
    loki, web = ScriptedLoki(lambda p: Answer(503)), Journal()
    async with rig(time) as it:
        it.connect(loki, replace(SETTINGS, max_retries=3, batch_wait_seconds=0))
        await it.sender.put(WEB, entries(1)[0], web)
        await until(lambda: web.acknowledged)
        assert it.dropped() == 1
    assert len(loki.pushes) == 3


async def test_rate_limited_batches_are_dropped_when_asked(time: Time) -> None:
    loki, web = ScriptedLoki(once(Answer(429))), Journal()
    async with rig(time) as it:
        it.connect(loki, replace(SETTINGS, drop_rate_limited_batches=True))
        await it.sender.put(WEB, entries(1)[0], web)
        await until(lambda: web.acknowledged)
        assert it.dropped("rate_limited") == 1
    assert len(loki.pushes) == 1


async def test_retry_after_is_waited_for(time: Time) -> None:
    loki, web = ScriptedLoki(once(Answer(429, retry_after_seconds=77.0))), Journal()
    async with rig(time) as it:
        it.connect(loki, replace(SETTINGS, batch_wait_seconds=0))
        await it.sender.put(WEB, entries(1)[0], web)
        await until(lambda: web.acknowledged)
    assert time.waits == [77.0]


async def test_a_push_over_the_burst_of_a_rate_limit_gets_smaller(time: Time) -> None:
    loki = ScriptedLoki(lambda p: Answer(429 if len(p.entries) > 2 else 204))
    web = Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(16):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 16)
    assert lines(loki.stored) == entries(16)


@pytest.mark.parametrize("status", [200, 202, 260, 401, 403, 404, 405])
async def test_what_a_person_must_set_right_is_held_and_shown(
    time: Time, status: int
) -> None:
    held = [True]
    loki = ScriptedLoki(lambda p: Answer(status, "why") if held else Answer(204))
    web = Journal()
    async with rig(time) as it:
        it.connect(loki, replace(SETTINGS, max_retries=2, batch_wait_seconds=0))
        await it.sender.put(WEB, entries(1)[0], web)
        await until(lambda: len(loki.pushes) == 20)
        assert not web.acknowledged
        assert it.reason() == f"Loki at loki:3100: HTTP {status}: why"
        held.clear()
        await until(lambda: web.acknowledged)
        assert it.reason() is None
        assert it.dropped() == 0
    assert max(time.waits) <= HOLD_BACKOFF.max_seconds


async def test_a_refused_stream_does_not_hold_up_another(time: Time) -> None:
    """The refused one fills what it may hold; the other goes on meanwhile."""
    limits = Limits(total_bytes=40_000, cursor_bytes=10_000, reserved_bytes=1000)
    loki = ScriptedLoki(lambda p: Answer(503 if "web" in p.labels else 204))
    web, db = Journal(), Journal()
    async with rig(time, limits=limits) as it:
        it.connect(loki)

        async def flood() -> None:
            for entry in entries(10_000):
                await it.sender.put(WEB, entry, web)

        task = asyncio.create_task(flood())
        for entry in entries(300):
            await it.sender.put(DB, entry, db)
        await until(lambda: len(db.acknowledged) == 300)
        assert not web.acknowledged
        assert not task.done()
        held = it.metrics.registry.get_sample_value("shipper_queue_bytes")
        assert held is not None
        assert held <= limits.cursor_bytes
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_put_waits_at_the_budget_and_goes_on_when_there_is_room(
    time: Time,
) -> None:
    cost = 20 + ENTRY_COST_BYTES + TICKET_COST_BYTES
    limits = Limits(total_bytes=10 * cost, cursor_bytes=10 * cost, reserved_bytes=0)
    loki, web = ScriptedLoki(lambda p: Answer(0)), Journal()
    async with rig(time, limits=limits) as it:
        it.connect(loki)
        for entry in entries(10):
            await it.sender.put(WEB, entry, web)
        waiting = asyncio.create_task(it.sender.put(WEB, entries(11)[10], web))
        await until(lambda: loki.in_flight)
        assert not waiting.done()
        loki.script = lambda push: Answer(204)
        loki.hang.set()  # answered with status 0, which is not 204: held, tried again
        await until(lambda: len(web.acknowledged) == 11)
        assert waiting.done()
    assert web.acknowledged == entries(11)


async def test_a_put_that_is_cancelled_took_nothing(time: Time) -> None:
    loki, web = ScriptedLoki(lambda p: Answer(0)), Journal()
    async with rig(time, limits=Limits(1, 1, 1)) as it:
        it.connect(loki)
        await it.sender.put(WEB, entries(1)[0], web)
        waiting = asyncio.create_task(it.sender.put(WEB, entries(2)[1], web))
        await until(lambda: loki.in_flight)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert it.metrics.registry.get_sample_value("shipper_queue_entries") == 1


async def test_every_client_must_have_an_entry(time: Time) -> None:
    first, second, web = ScriptedLoki(), ScriptedLoki(lambda p: Answer(0)), Journal()
    async with rig(time, clients=2) as it:
        it.connect(first)
        it.connect(second, replace(SETTINGS, host="other:3100"))
        for entry in entries(5):
            await it.sender.put(WEB, entry, web)
        await until(lambda: first.stored and second.in_flight)
        assert not web.acknowledged
        second.script = lambda push: Answer(204)
        second.hang.set()
        await until(lambda: web.acknowledged)
    assert web.acknowledged == entries(5) == lines(first.stored) == lines(second.stored)


async def test_external_labels_and_tenant(time: Time) -> None:
    loki, web = ScriptedLoki(), Journal()
    settings = replace(
        SETTINGS, external_labels={"env": "prod", "stream": "x"}, tenant="team-a"
    )
    async with rig(time) as it:
        it.connect(loki, settings)
        await it.sender.put(WEB, entries(1)[0], web)
        await it.sender.put((("__tenant_id__", "b"), *WEB), entries(1)[0], web)
        await until(lambda: len(web.acknowledged) == 2)
        assert it.dropped(tenant="team-a") == it.dropped(tenant="b") == 0
    text = '{container_name="web", env="prod", stream="stdout"}'
    assert [(p.tenant, p.labels) for p in loki.pushes] == [
        ("team-a", text),
        ("b", text),
    ]


@pytest.mark.parametrize(
    ("truncate", "sent"), [(True, [b"0000", b"ok"]), (False, [b"ok"])]
)
async def test_max_line_size(time: Time, truncate: bool, sent: list[bytes]) -> None:
    loki, web = ScriptedLoki(), Journal()
    given = [entries(1)[0], Entry(1, b"ok")]
    async with rig(
        time, entry_limits=EntryLimits(max_line_bytes=4, truncate=truncate)
    ) as it:
        it.connect(loki)
        for entry in given:
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 2)
        cut = it.value(
            "promtail_mutated_bytes_total", tenant="", reason="line_too_long"
        )
        assert (it.dropped("line_too_long"), cut) == ((0, 16) if truncate else (1, 0))
    assert [entry.line for entry in lines(loki.stored)] == sent
    assert web.acknowledged == given, "positions are about what was read"


async def test_drain_sends_what_is_left(time: Time) -> None:
    loki, web = ScriptedLoki(), Journal()
    async with rig(time) as it:
        it.connect(loki, replace(SETTINGS, batch_wait_seconds=3600))
        for entry in entries(5):
            await it.sender.put(WEB, entry, web)
        assert await it.sender.drain(5) == 0
    assert web.acknowledged == entries(5)
    assert time.now == 1000.0, "nothing waited for the age of the batch"


async def test_drain_gives_up_at_once_when_loki_refuses(time: Time) -> None:
    loki, web = ScriptedLoki(lambda p: Answer(503)), Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(5):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(loki.pushes) == 3)
        assert await it.sender.drain(5) == 5
    assert not web.acknowledged


async def test_drain_keeps_its_deadline_when_loki_hangs(time: Time) -> None:
    loki, web = ScriptedLoki(lambda p: Answer(0)), Journal()
    async with rig(time) as it:
        it.connect(loki)
        await it.sender.put(WEB, entries(1)[0], web)
        loop = asyncio.get_running_loop()
        started = loop.time()
        assert await it.sender.drain(0.05) == 1
        assert loop.time() - started < 2
    assert not web.acknowledged


async def test_idle_streams_leave_nothing_behind(time: Time) -> None:
    loki, web = ScriptedLoki(), Journal()
    async with rig(time) as it:
        it.connect(loki)
        for number in range(200):
            await it.sender.put((("n", str(number)),), Entry(number, b"x"), web)
        await until(lambda: len(web.acknowledged) == 200)
        await until(lambda: not it.sender._outlets[0]._tasks)
        assert not it.sender._outlets[0]._lanes
        assert not it.sender._ledger._accounts


async def test_success_of_one_lane_ends_the_backoff_of_the_others(time: Time) -> None:
    """With real time one of them would sleep five minutes more."""
    down = [True]
    loki = ScriptedLoki(
        lambda p: Answer(TRANSPORT, "refused", connected=False) if down else Answer(204)
    )
    web, db = Journal(), Journal()
    slept = asyncio.Event()

    async def pause(seconds: float, wake: asyncio.Event) -> None:
        if seconds > 100:
            slept.set()
            await wake.wait()
        else:
            await time.pause(seconds, wake)

    metrics = ShipperMetrics()
    async with asyncio.timeout(30):
        async with Sender(metrics, clients=1, clock=time, pause=pause) as sender:
            settings = replace(SETTINGS, backoff=Backoff(200, 300))
            sender.connect(settings, loki, Health("loki:3100", time))
            await sender.put(WEB, entries(1)[0], web)
            await slept.wait()
            down.clear()
            await sender.put(DB, entries(1)[0], db)
            await until(lambda: db.acknowledged and web.acknowledged)


class Chaos:
    """Answers at random; what it stored it knows, even when the answer was cut off."""

    FAULTS = (
        Answer(204), Answer(204), Answer(204), Answer(429), Answer(500), Answer(502),
        Answer(500, TOO_LARGE), Answer(413), Answer(401), Answer(404), Answer(260),
        Answer(200), Answer(408), Answer(TRANSPORT, "reset"),
        Answer(TRANSPORT, "refused", connected=False), Answer(400, "odd"),
        Answer(400, "<html>"),
    )  # fmt: skip

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.kept: dict[str, list[Entry]] = {}

    def __call__(self, push: Push) -> Answer:
        answer = self.chance.choice(self.FAULTS)
        cut = answer.status == TRANSPORT and self.chance.random() < 0.5
        if answer.status == 204 or cut:
            self.kept.setdefault(push.labels, []).extend(push.entries)
        return answer


def first_occurrences(kept: list[Entry]) -> list[Entry]:
    return list(dict.fromkeys(kept))


@pytest.mark.parametrize("seed", range(25))
async def test_chaos_every_entry_delivered_and_acknowledged_once_in_order(
    time: Time, seed: int
) -> None:
    chance = random.Random(seed)
    chaos = Chaos(chance)
    loki = ScriptedLoki(chaos)
    streams = {f"s{n}": Journal() for n in range(5)}
    limits = Limits(total_bytes=30_000, cursor_bytes=12_000, reserved_bytes=2000)
    async with rig(time, limits=limits) as it:
        it.connect(loki, replace(SETTINGS, batch_size_bytes=chance.choice([60, 400])))

        async def tail(name: str, cursor: Journal) -> None:
            for entry in entries(120):
                await it.sender.put((("name", name),), entry, cursor)
                if chance.random() < 0.1:
                    await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tails:
            for name, cursor in streams.items():
                tails.create_task(tail(name, cursor))
        await until(lambda: all(len(c.acknowledged) == 120 for c in streams.values()))
        assert it.metrics.registry.get_sample_value("shipper_queue_bytes") == 0
    for name, cursor in streams.items():
        kept = chaos.kept[f'{{name="{name}"}}']
        assert cursor.acknowledged == entries(120)
        assert first_occurrences(kept) == entries(120)


@pytest.mark.parametrize("seed", range(25))
async def test_chaos_cancelled_at_any_moment_acknowledges_only_what_is_stored(
    time: Time, seed: int
) -> None:
    chance = random.Random(seed)
    chaos = Chaos(chance)
    loki, web = ScriptedLoki(chaos), Journal()
    steps = chance.randint(1, 400)
    async with rig(time) as it:
        it.connect(loki, replace(SETTINGS, batch_size_bytes=200))

        async def tail() -> None:
            for entry in entries(300):
                await it.sender.put(WEB, entry, web)
                await asyncio.sleep(0)

        task = asyncio.create_task(tail())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if chance.random() < 0.5:
            left = await it.sender.drain(0.05)
            queue = it.metrics.registry.get_sample_value("shipper_queue_entries")
            assert left == queue
    done = len(web.acknowledged)
    assert web.acknowledged == entries(done)
    kept = Counter(chaos.kept.get('{container_name="web", stream="stdout"}', []))
    assert all(kept[entry] for entry in web.acknowledged)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
async def test_metadata_travels_and_json_counts_what_it_cannot_carry(
    time: Time, encoding: Literal["protobuf", "json"]
) -> None:
    loki, web = ScriptedLoki(once(Answer(503))), Journal()
    given = [
        Entry(1, b"a", (("trace_id", "1"),)),
        Entry(2, b"caf\xe9\xff", (("k", "v"), ("l", "w"))),
    ]
    async with rig(time) as it:
        it.connect(loki, replace(SETTINGS, push_encoding=encoding))
        for entry in given:
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 2)
        registry = it.metrics.registry
        labels = {"host": "loki:3100", "tenant": "", "reason": "invalid_utf8"}
        counted = [
            registry.get_sample_value(f"promtail_mutated_{what}_total", labels)
            for what in ("entries", "bytes")
        ]
    assert web.acknowledged == given
    lossy = given[1]._replace(line="caf\ufffd\ufffd".encode())
    sent = [given[0], lossy] if encoding == "json" else given
    assert lines(loki.stored) == sent
    assert counted == ([1, 2] if encoding == "json" else [None, None]), (
        "once, not twice"
    )


LIMIT_LABELS = [(("n", str(number)),) for number in range(3)]


async def test_streams_over_the_limit_are_dropped_and_nothing_wedges(
    time: Time,
) -> None:
    """promtail's client ends here for ever: batch.add fails, its loop returns."""
    loki, web = ScriptedLoki(), Journal()
    async with rig(time, entry_limits=EntryLimits(max_streams=2)) as it:
        it.connect(loki)
        for number, entry in enumerate(entries(9)):
            await it.sender.put(LIMIT_LABELS[number % 3], entry, web)
        await until(lambda: len(web.acknowledged) == 9)
        assert it.dropped("stream_limited") == 3
        assert (
            it.value("promtail_dropped_bytes_total", tenant="", reason="stream_limited")
            == 60
        )
        time.now += 10
        await it.sender.put(LIMIT_LABELS[2], entries(10)[9], web)
        await until(lambda: len(web.acknowledged) == 10)
    assert web.acknowledged == entries(10), "in reading order, dropped ones too"
    assert len(lines(loki.stored)) == 7
    assert lines(loki.stored)[-1] == entries(10)[9]


async def test_the_stream_limit_is_each_tenants_own(time: Time) -> None:
    loki, web = ScriptedLoki(), Journal()
    async with rig(time, entry_limits=EntryLimits(max_streams=1)) as it:
        it.connect(loki, replace(SETTINGS, tenant="a"))
        for tenant in ((), (("__tenant_id__", "b"),)):
            for labels in (WEB, DB):
                await it.sender.put((*tenant, *labels), entries(1)[0], web)
        await until(lambda: len(web.acknowledged) == 4)
        assert it.dropped("stream_limited", "a") == 1
        assert it.dropped("stream_limited", "b") == 1


async def test_an_outage_is_no_reason_to_drop_a_stream(time: Time) -> None:
    down = [True]
    loki = ScriptedLoki(lambda push: Answer(503 if down else 204))
    web = Journal()
    async with rig(time, entry_limits=EntryLimits(max_streams=1)) as it:
        it.connect(loki)
        for number, labels in enumerate(LIMIT_LABELS):
            await it.sender.put(labels, entries(3)[number], web)
            time.now += SETTINGS.batch_wait_seconds
        await until(lambda: len(loki.pushes) > 10)
        down.clear()
        await until(lambda: len(web.acknowledged) == 3)
        assert it.dropped("stream_limited") == 0
    assert len(lines(loki.stored)) == 3


@pytest.mark.parametrize(
    ("line", "limit", "kept"),
    [
        (b"abcdef", 3, b"abc"),
        ("aß".encode() + b"x", 2, b"a"),
        ("aß".encode() + b"x", 3, "aß".encode()),
        ("日本".encode(), 5, "日".encode()),
        ("日本".encode(), 4, "日".encode()),
        ("日本".encode(), 2, b""),
        ("a😀😀".encode(), 8, "a😀".encode()),
        (b"\x80" * 9, 5, b"\x80" * 5),
        (b"\xff" * 9, 5, b"\xff" * 5),
    ],
)
def test_a_line_is_cut_between_characters(line: bytes, limit: int, kept: bytes) -> None:
    assert line[: character_end(line, limit)] == kept


@given(st.text(min_size=1), st.data())
def test_what_was_text_is_text_when_it_is_cut(text: str, data: st.DataObject) -> None:
    line = text.encode()
    limit = data.draw(st.integers(0, len(line) - 1))
    kept = line[: character_end(line, limit)]
    assert text.startswith(kept.decode())
    assert limit - 3 <= len(kept) <= limit


async def test_a_tenant_of_a_line_that_cannot_be_drops_that_line_alone(
    time: Time,
) -> None:
    words = "tenant ID 'a/b' contains unsupported character '/'"
    loki = ScriptedLoki(lambda p: Answer(400, words) if p.tenant else Answer(204))
    web = Journal()
    async with rig(time) as it:
        it.connect(loki)
        for number, tenant in enumerate(["", "a/b", ""]):
            labels = (("__tenant_id__", tenant), *WEB) if tenant else WEB
            await it.sender.put(labels, entries(3)[number], web)
        await until(lambda: len(web.acknowledged) == 3)
        assert it.dropped(tenant="a/b") == 1
        assert it.value("shipper_refused_entries_total", reason="invalid_tenant") == 1
    assert len(lines(loki.stored)) == 2


# -- several clients: each entry to each; acknowledged when the last has decided


OTHER = replace(SETTINGS, host="other:3100", name="other")


async def test_a_dead_client_bounds_memory_and_the_other_gets_all_that_fits(
    time: Time,
) -> None:
    cost = 20 + ENTRY_COST_BYTES + TICKET_COST_BYTES
    limits = Limits(total_bytes=50 * cost, cursor_bytes=20 * cost, reserved_bytes=0)
    first, web = ScriptedLoki(), Journal()
    down = [True]
    second = ScriptedLoki(lambda push: Answer(503 if down else 204))
    async with rig(time, clients=2, limits=limits) as it:
        it.connect(first)
        it.connect(second, OTHER)

        async def read() -> None:
            for entry in entries(100):
                await it.sender.put(WEB, entry, web)

        reading = asyncio.create_task(read())
        await until(lambda: len(lines(first.stored)) == 20 and len(second.pushes) > 9)
        held = it.metrics.registry.get_sample_value("shipper_queue_bytes")
        assert held == 20 * cost, "kept once, not once per client"
        assert not web.acknowledged, "the position waits for the slowest"
        assert not reading.done()
        down.clear()
        await until(lambda: len(web.acknowledged) == 100)
        await reading
        assert it.metrics.registry.get_sample_value("shipper_queue_bytes") == 0
    assert lines(first.stored) == lines(second.stored) == web.acknowledged
    assert web.acknowledged == entries(100)


async def test_max_retries_of_a_dead_client_frees_the_other(time: Time) -> None:
    cost = 20 + ENTRY_COST_BYTES + TICKET_COST_BYTES
    limits = Limits(total_bytes=50 * cost, cursor_bytes=20 * cost, reserved_bytes=0)
    first, web = ScriptedLoki(), Journal()
    second = ScriptedLoki(lambda push: Answer(503))
    async with rig(time, clients=2, limits=limits) as it:
        it.connect(first)
        it.connect(second, replace(OTHER, max_retries=2))
        for entry in entries(100):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 100)
        labels = {"host": "other:3100", "tenant": "", "reason": "ingester_error"}
        name = "promtail_dropped_entries_total"
        assert it.metrics.registry.get_sample_value(name, labels) == 100
        assert it.dropped() == 0
    assert lines(first.stored) == web.acknowledged == entries(100)


@pytest.mark.parametrize("seed", range(15))
async def test_chaos_with_two_clients_each_gets_everything_in_order(
    time: Time, seed: int
) -> None:
    chance = random.Random(seed)
    chaos = [Chaos(chance), Chaos(chance)]
    streams = {f"s{n}": Journal() for n in range(3)}
    limits = Limits(total_bytes=30_000, cursor_bytes=12_000, reserved_bytes=2000)
    async with rig(time, clients=2, limits=limits) as it:
        it.connect(ScriptedLoki(chaos[0]), replace(SETTINGS, batch_size_bytes=60))
        it.connect(ScriptedLoki(chaos[1]), replace(OTHER, batch_size_bytes=400))
        async with asyncio.TaskGroup() as tails:

            async def tail(name: str, cursor: Journal) -> None:
                for entry in entries(60):
                    await it.sender.put((("name", name),), entry, cursor)

            for name, cursor in streams.items():
                tails.create_task(tail(name, cursor))
        await until(lambda: all(len(c.acknowledged) == 60 for c in streams.values()))
    for name, cursor in streams.items():
        assert cursor.acknowledged == entries(60)
        for each in chaos:
            assert first_occurrences(each.kept[f'{{name="{name}"}}']) == entries(60)
