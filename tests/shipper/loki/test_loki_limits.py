"""Everything Loki would refuse for its size or time, from `put` to the query.

The store and, where ``LOKI=`` names the binary, Loki itself: neither has anything to
refuse, and every line that can be kept is there.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.parse
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from shipper.loki.client import PushClient
from shipper.loki.cut import cut_with_marker
from shipper.loki.health import Health
from shipper.loki.outcome import Answer
from shipper.loki.sender import Sender
from shipper.loki.settings import ClientSettings
from shipper.loki.watch import watch
from shipper.metrics import ShipperMetrics
from shipper.pipeline.entry import Entry, Labels
from tests.store.test_contract import PUSH, Server, command, free_port, started

from .conftest import Journal, ScriptedLoki, Time
from .test_outcome import METADATA, TOO_LONG, TOO_OLD
from .test_sender import SETTINGS, WEB, Rig, entries, lines, once, rig, until
from .test_told import DISALLOWED, NAMES


pytestmark = pytest.mark.timeout(180)

SECOND = 10**9
DAY = 86_400 * SECOND


@pytest.fixture(scope="module", params=["store", "loki"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("limits"), free_port()
    with started(command(request.param, folder, port), folder, port) as server:
        yield server


class Awaited(Journal):
    """A journal that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        super().acknowledge(entries)
        self._more.set()

    async def has(self, count: int) -> None:
        """Wait until *count* entries are acknowledged."""
        while len(self.acknowledged) < count:
            self._more.clear()
            await self._more.wait()


class Shipping:
    """A sender in front of a server."""

    def __init__(self, sender: Sender, metrics: ShipperMetrics) -> None:
        self.sender, self.metrics, self.cursor = sender, metrics, Awaited()

    async def ship(self, labels: Labels, *given: Entry) -> None:
        before = len(self.cursor.acknowledged)
        for entry in given:
            await self.sender.put(labels, entry, self.cursor)
        self.sender.flush()
        async with asyncio.timeout(30):
            await self.cursor.has(before + len(given))

    def limited(self) -> dict[tuple[str, str], float]:
        """Return what was counted by reason and action."""
        return {
            (sample.labels["reason"], sample.labels["action"]): sample.value
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "shipper_limited_entries_total"
        }


@asynccontextmanager
async def shipping(server: Server, *, watched: bool = True) -> AsyncIterator[Shipping]:
    url = server.address + PUSH
    settings = ClientSettings(url=url, host=url.split("/")[2], batch_wait_seconds=60)
    metrics, clock = ShipperMetrics(), asyncio.get_running_loop().time
    async with (
        PushClient(settings) as client,
        Sender(metrics, clients=1) as sender,
        asyncio.TaskGroup() as tasks,
    ):
        health = Health(settings.host, clock)
        delivery = sender.connect(settings, client, health)
        watching = watch(client, health, delivery) if watched else asyncio.sleep(0)
        task = tasks.create_task(watching)
        await asyncio.sleep(0)  # as in the program: it asks before the first push
        yield Shipping(sender, metrics)
        task.cancel()


def discarded(server: Server) -> dict[str, float]:
    """Return what the server refused since it was started, by reason."""
    _, text = server.ask("/metrics")
    pattern = r'(?m)^loki_discarded_samples_total\{.*?reason="(\w+)".*\} (\S+)$'
    return {reason: float(value) for reason, value in re.findall(pattern, text)}


def rows(server: Server, selector: str) -> list[list[Any]]:
    """Return time, line and structured metadata of what is stored."""
    now = time.time_ns()
    query = urllib.parse.urlencode({
        "query": selector, "direction": "forward",
        "start": now - DAY, "end": now + 3600 * SECOND,
    })  # fmt: skip
    status, text = server.ask(
        f"/loki/api/v1/query_range?{query}",
        headers={"X-Loki-Response-Encoding-Flags": "categorize-labels"},
    )
    assert status == 200, text
    found = [
        [int(row[0]), row[1], row[2].get("structuredMetadata", {})]
        for stream in json.loads(text)["data"]["result"]
        for row in stream["values"]
    ]
    for row in found:
        row[2].pop("detected_level", None)  # Loki adds it
    return sorted(found)


LONG = b"x" * 300_000
CUT = cut_with_marker(LONG, 262_144)


@pytest.mark.oracle
async def test_nothing_is_refused_and_what_can_be_kept_is_there(server: Server) -> None:
    now, name = time.time_ns(), "beforehand"
    labels: Labels = (("container_name", name), ("stream", "stdout"))
    many = tuple(sorted([*labels, *((f"l{n:02}", f"v{n}") for n in range(18))]))
    surplus = {f"l{n:02}": f"v{n}" for n in range(13, 18)}
    long = tuple(sorted([*labels, ("path", "ü" * 1500)]))
    before = discarded(server)
    async with shipping(server) as it:
        await it.ship(
            labels,
            Entry(now, b"first"),
            Entry(now - 8 * DAY, b"eight days old"),
            Entry(now + 1, LONG),
            Entry(now + 1200 * SECOND, b"twenty minutes ahead"),
            Entry(now + 2, b"x" * 262_144),
            Entry(now + 3, b"much", (("k", "v" * 70_000),)),
            Entry(now + 4, b"many", tuple((f"k{n}", "v") for n in range(129))),
            Entry(now + 5, b"last", (("trace_id", "1"),)),
        )
        await it.ship(many, Entry(now + 6, b"twenty labels"))
        await it.ship(long, Entry(now + 7, b"a long value", (("trace_id", "2"),)))
        assert it.limited() == {
            ("greater_than_max_sample_age", "dropped"): 1,
            ("too_far_in_future", "dropped"): 1,
            ("line_too_long", "cut"): 1,
            ("structured_metadata_too_large", "left_off"): 1,
            ("structured_metadata_too_many", "left_off"): 1,
            ("max_label_names_per_series", "moved"): 1,
            ("label_value_too_long", "moved"): 1,
        }
    assert discarded(server) == before, "nothing was refused"
    assert rows(server, f'{{container_name="{name}"}}') == [
        [now, "first", {}],
        [now + 1, CUT.decode(), {}],
        [now + 2, "x" * 262_144, {}],
        [now + 3, "much", {}],
        [now + 4, "many", {}],
        [now + 5, "last", {"trace_id": "1"}],
        [now + 6, "twenty labels", surplus],
        [now + 7, "a long value", {"trace_id": "2", "path": "ü" * 1500}],
    ]


@pytest.mark.oracle
async def test_what_a_refusal_names_is_sent_again_and_not_refused_twice(
    server: Server,
) -> None:
    """The server is not asked here: as behind a gateway that has only the push path."""
    now, name = time.time_ns(), "afterwards"
    labels: Labels = (("container_name", name), ("stream", "stdout"))
    many = tuple(sorted([*labels, *((f"l{n:02}", f"v{n}") for n in range(18))]))
    before = discarded(server)
    async with shipping(server, watched=False) as it:
        for round_ in range(2):
            at = now + 10 * round_
            await it.ship(labels, Entry(at, b"a"), Entry(at + 1, LONG))
            await it.ship(labels, Entry(at + 2, b"b", (("k", "v" * 70_000),)))
            await it.ship(many, Entry(at + 3, b"c"), Entry(at + 4, b"d"))
            await it.ship(labels, Entry(at - 8 * DAY, b"old"), Entry(at + 5, b"e"))
    refused = discarded(server)
    for reason, count in {
        "line_too_long": 1,
        "structured_metadata_too_large": 1,
        "max_label_names_per_series": 2,
        "greater_than_max_sample_age": 1,
    }.items():
        assert refused[reason] - before.get(reason, 0) == count, reason
    found = rows(server, f'{{container_name="{name}"}}')
    assert [row[1][:1] for row in found] == list("axbcdeaxbcde")
    assert [row[1] for row in found if len(row[1]) > 1] == [CUT.decode()] * 2
    assert it.limited()["greater_than_max_sample_age", "dropped"] == 1


# -- the same without a server: what is counted, and when


async def test_a_line_that_loki_calls_too_long_is_cut_and_sent_again(
    time: Time,
) -> None:
    loki, web = ScriptedLoki(once(Answer(400, TOO_LONG))), Journal()
    given = [*entries(3), Entry(10**18 + 9, LONG)]
    async with rig(time) as it:
        it.connect(loki)
        for entry in given:
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 4)
        assert it.dropped() == 0
        assert it.value("promtail_sent_entries_total") == 4
        assert counted(it, "line_too_long", "cut") == 1
        await it.sender.put(WEB, given[3], web)
        await until(lambda: len(web.acknowledged) == 5)
    assert [len(push.entries) for push in loki.pushes] == [4, 1, 1]
    assert [entry.line for entry in lines(loki.stored)] == [CUT, CUT]
    assert web.acknowledged == [*given, given[3]], "positions know the whole line"


def counted(it: Rig, reason: str, action: str) -> float:
    return it.value("shipper_limited_entries_total", reason=reason, action=action)


async def test_a_stream_with_too_many_labels_is_sent_again_entirely(
    time: Time,
) -> None:
    many: Labels = tuple((f"l{n:02}", "v") for n in range(16))
    loki, web = ScriptedLoki(once(Answer(400, NAMES))), Journal()
    async with rig(time) as it:
        it.connect(loki)
        for entry in entries(3):
            await it.sender.put(many, entry, web)
        await until(lambda: len(web.acknowledged) == 3)
        assert it.dropped() == 0
        assert counted(it, "max_label_names_per_series", "moved") == 3
    assert [push.labels.count("=") for push in loki.pushes] == [16, 15]
    assert lines(loki.stored) == [
        entry._replace(metadata=many[15:]) for entry in entries(3)
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (METADATA, "structured_metadata_too_large"),
        (DISALLOWED, "disallowed_structured_metadata"),
    ],
)
async def test_metadata_that_loki_refuses_is_left_off_and_the_line_sent_again(
    time: Time, answer: str, reason: str
) -> None:
    loki, web = ScriptedLoki(once(Answer(400, answer))), Journal()
    rich = Entry(10**18 + 5, b"rich", (("k", "v" * 70_000),))
    async with rig(time) as it:
        it.connect(loki)
        for entry in (*entries(2), rich):
            await it.sender.put(WEB, entry, web)
        await until(lambda: len(web.acknowledged) == 3)
        assert it.dropped() == 0
        assert counted(it, reason, "left_off") == 1
    assert lines(loki.stored) == [rich._replace(metadata=())]


async def test_a_loki_that_names_ever_smaller_limits_ends(time: Time) -> None:
    smaller = iter(range(200_000, 0, -100))
    loki, web = (
        ScriptedLoki(
            lambda p: Answer(400, TOO_LONG.replace("262144", str(next(smaller))))
        ),
        Journal(),
    )
    async with rig(time) as it:
        it.connect(loki)
        await it.sender.put(WEB, Entry(10**18, LONG), web)
        await until(lambda: web.acknowledged)
        assert it.dropped() == 1
        assert it.value("shipper_refused_entries_total", reason="line_too_long") == 1
    assert len(loki.pushes) < 10


async def test_two_clients_each_with_the_limits_of_its_own_loki(time: Time) -> None:
    wide, narrow = ScriptedLoki(), ScriptedLoki(once(Answer(400, TOO_LONG)))
    web, long = Journal(), Entry(10**18, LONG)
    async with rig(time, clients=2) as it:
        it.connect(wide)
        it.connect(narrow, replace(SETTINGS, host="other:3100"))
        await it.sender.put(WEB, long, web)
        await until(lambda: web.acknowledged)
        await it.sender.put(WEB, long, web)
        await until(lambda: len(web.acknowledged) == 2)
        held = it.metrics.registry.get_sample_value("shipper_queue_entries")
        assert held == 0
    assert web.acknowledged == [long, long] == lines(wide.stored)
    assert lines(narrow.stored) == [long._replace(line=CUT)] * 2


async def test_an_old_line_is_dropped_without_a_push_once_the_age_is_known(
    time: Time,
) -> None:
    old, web = Entry(10**18, b"old"), Journal()
    loki = ScriptedLoki(once(Answer(400, TOO_OLD)))
    async with rig(time) as it:
        it.connect(loki)
        for _ in range(2):
            await it.sender.put(WEB, old, web)
            await until(lambda: web.acknowledged)
        await until(lambda: len(web.acknowledged) == 2)
        assert it.dropped() == 2
        assert counted(it, "greater_than_max_sample_age", "dropped") == 1
        name = "shipper_refused_entries_total"
        assert it.value(name, reason="greater_than_max_sample_age") == 2
    assert len(loki.pushes) == 1
