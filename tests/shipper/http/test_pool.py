from __future__ import annotations

import asyncio

from shipper.http.connection import Connection
from shipper.http.connector import Way
from shipper.http.pool import KEPT_SECONDS, MAX_IDLE, Pool, Server


HERE: Server = ("http", "a", 80, Way())
THERE: Server = ("http", "a", 80, Way(server_name="b"))


class Transport(asyncio.Transport):
    """Is there until it is aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


class Loop(asyncio.SelectorEventLoop):
    """A loop that never runs, whose timers are called by hand."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def until(self, now: float) -> None:
        self.now = now
        self.call_soon(self.stop)
        self.run_forever()


def connection(loop: Loop) -> tuple[Connection, Transport]:
    made, transport = Connection(loop), Transport()
    made.connection_made(transport)
    return made, transport


def test_the_last_one_is_the_first() -> None:
    loop = Loop()
    pool = Pool(loop)
    first, second, third = (connection(loop)[0] for _ in range(3))
    pool.put(HERE, first)
    pool.put(HERE, second)
    pool.put(THERE, third)
    assert [pool.take(HERE) for _ in range(3)] == [second, first, None]
    assert pool.take(THERE) is third
    pool.close()
    loop.close()


def test_what_is_closed_is_not_taken() -> None:
    loop = Loop()
    pool = Pool(loop)
    kept, transport = connection(loop)
    pool.put(HERE, kept)
    transport.abort()
    assert pool.take(HERE) is None
    pool.put(HERE, kept)
    assert pool.take(HERE) is None
    pool.close()
    loop.close()


def test_nothing_is_kept_for_long() -> None:
    loop = Loop()
    pool = Pool(loop)
    old, young = connection(loop), connection(loop)
    pool.put(HERE, old[0])
    loop.now = 10.0
    pool.put(HERE, young[0])
    loop.until(KEPT_SECONDS)
    assert (old[1].aborted, young[1].aborted) == (True, False)
    loop.until(10.0 + KEPT_SECONDS)
    assert young[1].aborted
    assert pool.take(HERE) is None
    pool.close()
    loop.close()


def test_not_more_than_some() -> None:
    loop = Loop()
    pool = Pool(loop)
    made = [connection(loop) for _ in range(MAX_IDLE + 1)]
    for each, _ in made:
        pool.put(HERE, each)
    assert [transport.aborted for _, transport in made] == [False] * MAX_IDLE + [True]
    pool.close()
    assert all(transport.aborted for _, transport in made)
    late, transport = connection(loop)
    pool.put(HERE, late)
    assert transport.aborted
    loop.close()
