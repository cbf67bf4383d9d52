from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import WSMsgType

from shipper.logql import parse_log_query
from shipper.pipeline.entry import Entry
from shipper.store.model import Stream
from shipper.store.tail import BLOCKED_NS, MAX_DROPPED, QUEUE_STREAMS, Tail
from tests.store.conftest import NOW, SECOND, Clock, Open, Store


TAIL = "/loki/api/v1/tail"
LABELS = (("container", "c"), ("service_name", "c"))


def stream(number: int, count: int = 1) -> Stream:
    entries = [Entry(NOW + number, b"line %d" % n) for n in range(count)]
    return Stream(LABELS, '{container="c", service_name="c"}', entries)


def texts(message: dict[str, Any]) -> list[str]:
    return [value[1] for one in message["streams"] for value in one["values"]]


async def test_past_then_live(store: Store) -> None:
    await store.push([(NOW - 2, "past 1"), (NOW - 1, "past 2")])
    params = {"query": '{container="c"} != "noise"'}
    async with asyncio.timeout(10), store.client.ws_connect(TAIL, params=params) as ws:
        assert texts(await ws.receive_json()) == ["past 1", "past 2"]
        await store.push([(NOW, "noise"), (NOW + 1, "live")])
        await store.push([(NOW, "elsewhere")], {"container": "d"})
        message = await ws.receive_json()
        assert message == {
            "streams": [
                {
                    "stream": {"container": "c", "service_name": "c"},
                    "values": [[str(NOW + 1), "live"]],
                }
            ]
        }


async def test_stages_run_on_the_past_and_on_live_lines(store: Store) -> None:
    await store.push([(NOW - 2, '{"n": 1}'), (NOW - 1, '{"n": 7}')])
    query = '{container="c"} | json | n > 5 | line_format "n is {{.n}}"'
    async with asyncio.timeout(10):
        async with store.client.ws_connect(TAIL, params={"query": query}) as ws:
            assert texts(await ws.receive_json()) == ["n is 7"]
            await store.push([(NOW, '{"n": 2}'), (NOW + 1, '{"n": 9}')])
            message = await ws.receive_json()
    assert texts(message) == ["n is 9"]
    assert message["streams"][0]["stream"]["n"] == "9"


async def test_a_stopping_store_ends_its_tails(opened: Open) -> None:
    async with asyncio.timeout(10):
        async with opened() as store:
            ws = await store.client.ws_connect(
                TAIL, params={"query": '{container="c"}'}
            )
            await store.push([(NOW, "x")])
            assert texts(await ws.receive_json()) == ["x"]
        assert ws.closed or (await ws.receive()).type in {
            WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED,
        }  # fmt: skip


async def test_too_many_tails(opened: Open) -> None:
    async with asyncio.timeout(10), opened(max_tails=1) as store:
        params = {"query": '{container="c"}'}
        await store.push([(NOW - 1, "x")])
        async with store.client.ws_connect(TAIL, params=params) as first:
            await first.receive_json()
            async with store.client.ws_connect(TAIL, params=params) as second:
                message = await second.receive()
                assert message.type is WSMsgType.CLOSE
                assert message.extra == (
                    "max concurrent tail requests limit exceeded, count > limit (2 > 1)"
                )


async def test_a_slow_client_loses_lines_and_hears_of_it(clock: Clock) -> None:
    tail = Tail(parse_log_query('{container="c"}'), clock)
    for number in range(QUEUE_STREAMS + 3):
        tail.offer([stream(number)])
    message = await tail.message()
    assert message is not None
    assert len(texts(message)) == QUEUE_STREAMS
    assert message["dropped_entries"] == [
        {"timestamp": str(NOW + QUEUE_STREAMS + n), "labels": dict(LABELS)}
        for n in range(3)
    ]
    tail.offer([stream(999)])
    message = await tail.message()
    assert message is not None
    assert "dropped_entries" not in message


async def test_what_was_dropped_is_bounded_too(clock: Clock) -> None:
    tail = Tail(parse_log_query('{container="c"}'), clock)
    for number in range(QUEUE_STREAMS + MAX_DROPPED + 5):
        tail.offer([stream(number)])
    message = await tail.message()
    assert message is not None
    assert len(message["dropped_entries"]) == 5


async def test_a_client_that_stays_blocked_is_let_go(clock: Clock) -> None:
    tail = Tail(parse_log_query('{container="c"}'), clock)
    for number in range(QUEUE_STREAMS + 1):
        tail.offer([stream(number)])
    clock.now += BLOCKED_NS + SECOND
    tail.offer([stream(0)])
    assert tail.closed
    assert await tail.message() is None


async def test_messages_hold_at_most_100_lines(clock: Clock) -> None:
    tail = Tail(parse_log_query('{container="c"}'), clock)
    tail.offer([stream(0, count=250)])
    found = []
    for size in (100, 100, 50):
        message = await tail.message()
        assert message is not None
        assert len(texts(message)) == size
        found += texts(message)
    assert found == [f"line {n}" for n in range(250)]


@pytest.mark.parametrize("categorize", [False, True])
async def test_metadata_in_a_tail(clock: Clock, *, categorize: bool) -> None:
    query = parse_log_query('{container="c"} | trace="t"')
    tail = Tail(query, clock, categorize=categorize)
    entries = [Entry(NOW, b"x", (("trace", "t"),)), Entry(NOW, b"y")]
    tail.offer([Stream(LABELS, "", entries)])
    message = await tail.message()
    assert message is not None
    assert texts(message) == ["x"]
    assert ("trace" in message["streams"][0]["stream"]) is not categorize
