from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from exporters.nginx.http.connection import Connection
from exporters.nginx.http.pool import KEEPALIVE_SECONDS, Pool, Server


A: Server = ("http", "a", 80, None)
B: Server = ("http", "b", 80, None)


class Transport(asyncio.Transport):
    """Know whether it is closed."""

    closed = False

    def abort(self) -> None:
        self.closed = True


def _connection() -> tuple[Connection, Transport]:
    connection, transport = Connection(asyncio.get_running_loop()), Transport()
    connection.connection_made(transport)
    return connection, transport


async def test_the_last_is_the_first_and_servers_do_not_mix() -> None:
    pool = Pool()
    (first, _), (last, _), (other, _) = (_connection() for _ in range(3))
    pool.put(A, first)
    pool.put(A, last)
    pool.put(B, other)
    assert pool.take(A) is last
    assert pool.take(A) is first
    assert pool.take(A) is None
    assert pool.take(B) is other
    pool.close()


async def test_what_was_closed_meanwhile_is_passed_over() -> None:
    pool = Pool()
    (good, _), (bad, _) = _connection(), _connection()
    pool.put(A, good)
    pool.put(A, bad)
    bad.connection_lost(None)
    assert pool.take(A) is good
    pool.put(A, bad)
    assert pool.take(A) is None
    pool.close()


async def test_what_speaks_unasked_is_closed() -> None:
    connection, transport = _connection()
    connection.get_buffer(-1)[:4] = b"junk"
    connection.buffer_updated(4)
    assert transport.closed
    assert not connection.usable


async def test_closed() -> None:
    pool = Pool()
    (one, first), (late, last) = _connection(), _connection()
    pool.put(A, one)
    pool.close()
    pool.put(A, late)
    assert first.closed
    assert last.closed
    assert pool.take(A) is None


async def test_nothing_is_kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    now = loop.time()
    timers: list[tuple[float, Callable[[], None]]] = []

    def call_at(at: float, tell: Callable[[], None]) -> object:
        timers.append((at, tell))
        return tell

    monkeypatch.setattr(loop, "time", lambda: now)
    monkeypatch.setattr(
        loop, "call_later", lambda each, tell: call_at(now + each, tell)
    )
    monkeypatch.setattr(loop, "call_at", call_at)
    pool = Pool()
    (old, first), (young, last) = _connection(), _connection()
    pool.put(A, old)
    now += 10
    pool.put(B, young)
    assert len(timers) == 1, "one timer for all"
    now += KEEPALIVE_SECONDS - 10
    timers.pop()[1]()
    assert (first.closed, last.closed) == (True, False)
    ((at, again),) = timers
    assert at == now + 10
    now = at
    timers.clear()
    again()
    assert last.closed
    assert timers == [], "nothing to wait for"
