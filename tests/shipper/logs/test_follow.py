from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shipper.logs.client import LogClient
from shipper.logs.errors import LogsError, Refused
from shipper.logs.flags import Connection
from shipper.logs.follow import Follower
from shipper.logs.lines import Line
from shipper.logs.seen import SPAN_NS, Seen
from tests.shipper.logs.conftest import COMMAND, NOW, SECOND, Store


QUERY = '{container_name="web"}'


class Following:
    """A follower, and what it showed so far."""

    def __init__(self, address: str, seen: Seen | None = None) -> None:
        self.texts: list[str] = []
        self.told: list[str] = []
        self._address = address
        self._seen = seen or Seen(0)
        self._news = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Following]:
        async with LogClient(Connection(address=self._address)) as client:
            follower = Follower(
                client, QUERY, self._seen, self.told.append,
                batch=50, clock=lambda: NOW + SECOND, sleep=self._sleep,
            )  # fmt: skip
            self.task = asyncio.ensure_future(self._run(follower))
            try:
                yield self
            finally:
                self.task.cancel()
                await asyncio.gather(self.task, return_exceptions=True)

    async def _sleep(self, _: float) -> None:
        await asyncio.sleep(0.01)

    async def _run(self, follower: Follower) -> None:
        async for lines in follower.lines():
            self.texts += [line.text for line in lines]
            self._news.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.texts) < count:
                self._news.clear()
                news = asyncio.ensure_future(self._news.wait())
                await asyncio.wait({news, self.task}, return_when="FIRST_COMPLETED")
                if self.task.done():
                    news.cancel()
                    self.task.result()


def numbered(first: int, count: int) -> list[tuple[int, str]]:
    # Three lines of each time, so that every border has equal ones.
    return [(NOW + n // 3, str(n)) for n in range(first, first + count)]


def texts(count: int) -> list[str]:
    return [str(n) for n in range(count)]


async def test_nothing_lost_or_twice_over_restarts_of_the_store(store: Store) -> None:
    await store.push(numbered(0, 200))
    async with Following(store.address).open() as following:
        await following.until(200)
        at = 200
        for _ in range(3):
            await store.push(numbered(at, 100))
            await following.until(at + 100)
            await store.stop()
            await store.start()
            # Stored before the follower is back: more than a tail's past holds.
            await store.push(numbered(at + 100, 1300))
            await following.until(at + 1400)
            at += 1400
        await store.push(numbered(at, 10))
        await following.until(at + 10)
    assert following.texts == texts(at + 10)


async def test_a_late_line_is_shown(store: Store) -> None:
    await store.push([(NOW, "on time")])
    async with Following(store.address).open() as following:
        await following.until(1)
        await store.stop()
        await store.start()
        await store.push([(NOW - 5 * SECOND, "late")])
        await following.until(2)
        assert following.texts == ["on time", "late"]


OnTail = Callable[[web.WebSocketResponse], Awaitable[None]]


class Loki:
    """Answers query_range with *lines*; what it makes of a tail is up to the test."""

    def __init__(self, on_tail: OnTail | None = None) -> None:
        self.lines: list[tuple[int, str]] = []
        self.tail_statuses: list[int] = []
        self.tails = 0
        self._on_tail = on_tail

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[Following]:
        app = web.Application()
        app.router.add_get("/loki/api/v1/query_range", self._query_range)
        app.router.add_get("/loki/api/v1/tail", self._tail)
        async with (
            TestServer(app) as server,
            Following(f"http://{server.host}:{server.port}").open() as following,
        ):
            yield following

    async def _query_range(self, request: web.Request) -> web.Response:
        start, end = int(request.query["start"]), int(request.query["end"])
        found = [x for x in self.lines if start <= x[0] < end]
        found = found[: int(request.query["limit"])]
        data = {"resultType": "streams", "result": [stream(found)] if found else []}
        return web.json_response({"status": "success", "data": data})

    async def _tail(self, request: web.Request) -> web.StreamResponse:
        self.tails += 1
        if self.tail_statuses:
            return web.Response(status=self.tail_statuses.pop(0))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if self._on_tail:
            await self._on_tail(socket)
        async for _ in socket:
            pass
        return socket


def stream(lines: list[tuple[int, str]]) -> dict[str, Any]:
    values = [[str(t), text] for t, text in lines]
    return {"stream": {"container_name": "web"}, "values": values}


def message(lines: list[tuple[int, str]], **more: Any) -> str:
    return json.dumps({"streams": [stream(lines)] if lines else None, **more})


async def test_lines_a_tail_dropped_are_asked_for() -> None:
    async def on_tail(socket: web.WebSocketResponse) -> None:
        await socket.send_str(message([(NOW + 1, "b")]))
        await shown.wait()  # the follower is past its own asking
        loki.lines += [(NOW + 1, "b"), (NOW + 2, "c"), (NOW + 3, "d")]
        dropped = [{"timestamp": str(NOW + 2), "labels": {}}]
        await socket.send_str(message([(NOW + 3, "d")], dropped_entries=dropped))

    shown = asyncio.Event()
    loki = Loki(on_tail)
    loki.lines = [(NOW, "a")]
    async with loki.followed() as following:
        await following.until(2)
        shown.set()
        await following.until(4)
    assert sorted(following.texts) == ["a", "b", "c", "d"]


async def test_what_a_tail_repeats_is_shown_once() -> None:
    async def on_tail(socket: web.WebSocketResponse) -> None:
        await socket.send_str(message([(NOW, "a"), (NOW, "b")]))
        await socket.send_str(message([(NOW, "b"), (NOW, "c")]))

    loki = Loki(on_tail)
    loki.lines = [(NOW, "a")]
    async with loki.followed() as following:
        await following.until(3)
    assert following.texts == ["a", "b", "c"]


@pytest.mark.parametrize("status", [404, 400, 501])
async def test_a_server_without_tails_is_polled(status: int) -> None:
    loki = Loki()
    loki.tail_statuses = [status] * 100
    loki.lines = [(NOW, "a")]
    async with loki.followed() as following:
        for count in range(1, 7):
            await following.until(count)
            loki.lines.append((NOW + count, "x"))
    assert following.texts == ["a", *["x"] * 5]
    assert loki.tails == (3 if status == 501 else 1)
    (told,) = following.told
    assert f"answers {status} to a tail; asking every second instead" in told


async def test_a_restarting_proxy_is_no_word_against_tails() -> None:
    loki = Loki()
    loki.tail_statuses = [503, 502]

    async def on_tail(socket: web.WebSocketResponse) -> None:
        await socket.send_str(message([(NOW, "a")]))

    loki._on_tail = on_tail
    async with loki.followed() as following:
        await following.until(1)
    assert loki.tails == 3
    assert following.told == []


@pytest.mark.parametrize("text", ["no json", "[]", '{"streams":[{}]}', '{"streams":5}'])
async def test_a_message_that_is_none_ends_it(text: str) -> None:
    async def on_tail(socket: web.WebSocketResponse) -> None:
        await socket.send_str(text)

    async with Loki(on_tail).followed() as following:
        with pytest.raises(LogsError, match="not one of Loki"):
            await following.until(1)


async def test_a_login_that_is_refused_ends_it() -> None:
    loki = Loki()
    loki.tail_statuses = [401]
    async with loki.followed() as following:
        with pytest.raises(Refused, match="answers 401"):
            await following.until(1)


async def test_the_command_follows_until_ctrl_c(store: Store) -> None:
    store.clock = time.time_ns
    await store.stop()
    await store.start()
    now = time.time_ns()
    await store.push([(now - 3, "1"), (now - 2, "2"), (now - 1, "3")])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, "web", "-f", "--limit=2", "-o", "raw",
        "--addr", store.address,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"2\n"
        assert await process.stdout.readline() == b"3\n"
        await store.push([(now, "4")])
        assert await process.stdout.readline() == b"4\n"
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")


def line(ns: int, text: str = "") -> Line:
    return Line(ns, (("a", "b"),), text)


def test_seen_remembers_twice_as_far_as_it_asks() -> None:
    seen = Seen(0)
    now = 10 * SPAN_NS
    assert seen.fresh([line(now)], now) == [line(now)]
    assert seen.floor_ns == now - SPAN_NS
    assert seen.fresh([line(now), line(now - SPAN_NS)], now) == [line(now - SPAN_NS)]
    later = now + SPAN_NS
    seen.fresh([line(later)], later)
    assert seen.fresh([line(now), line(later)], later) == []


def test_a_time_in_the_future_does_not_move_the_floor_past_now() -> None:
    seen = Seen(0)
    seen.fresh([line(100 * SPAN_NS)], 10 * SPAN_NS)
    assert seen.floor_ns == 9 * SPAN_NS


def test_memory_is_bounded_and_what_is_forgotten_is_not_asked_for() -> None:
    seen = Seen(0, most=100)
    now = 1000 * SECOND
    for second in range(20):
        at = now + second * SECOND
        seen.fresh([line(at + n) for n in range(30)], at + SECOND)
    assert seen._count <= 100
    assert seen.floor_ns == now + 17 * SECOND
