"""Queries: read-only connections in a few threads, each under a deadline."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from shipper.store.errors import TIMED_OUT, Unavailable
from shipper.store.schema import open_reader
from shipper.wire.errors import Answer, failure
from shipper.wire.model import SECOND_NS


T = TypeVar("T")

THREADS: Final = 4
WAITING: Final = 100
_CHECK_EVERY: Final = 20_000  # SQLite instructions: about a millisecond


class Guard:
    """Say when a query has to end: its deadline passed, or nobody waits for it."""

    def __init__(self, timeout_ns: int) -> None:
        self._end = time.monotonic() + timeout_ns / SECOND_NS
        self.cancelled = threading.Event()

    def expired(self) -> bool:
        """Return whether the work should stop now."""
        return self.cancelled.is_set() or time.monotonic() > self._end

    def check(self) -> None:
        """Raise Answer 504 when the work should stop: for loops outside SQLite."""
        if self.expired():
            raise Answer(504, TIMED_OUT)


Work = Callable[[sqlite3.Connection, Guard], T]


class Readers:
    """Run work on read-only connections to the database *path*."""

    def __init__(self, path: str, timeout_ns: int) -> None:
        self._path = path
        self._timeout_ns = timeout_ns
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store-reader")
        self._free: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._under_way = 0

    async def run(self, work: Work[T]) -> T:
        """Return what *work* returns; it is stopped at the deadline (504).

        Raises Answer: 429 when too many queries wait, 504, or 500 for SQLite's errors.
        When the caller is cancelled the work is told and its thread is free soon.
        """
        if self._under_way >= WAITING:
            raise Answer(429, "too many outstanding requests")
        guard = Guard(self._timeout_ns)
        self._under_way += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._work, work, guard)
        finally:
            guard.cancelled.set()
            self._under_way -= 1

    def close(self) -> None:
        """Wait for the threads and close the connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            for connection in self._free:
                connection.close()
            self._free.clear()

    def _work(self, work: Work[T], guard: Guard) -> T:
        guard.check()
        try:
            connection = self._take()
        except sqlite3.Error as error:
            raise Unavailable(f"opening the store: {failure(error)}") from error
        try:
            connection.set_progress_handler(guard.expired, _CHECK_EVERY)
            connection.execute("BEGIN")  # one snapshot for the whole query
            result = work(connection, guard)
        except BaseException as error:
            connection.close()  # its statements may still be under way
            if not isinstance(error, sqlite3.Error):
                raise
            guard.check()
            raise Unavailable(f"reading the store: {failure(error)}") from error
        self._give_back(connection)
        return result

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._free:
                return self._free.pop()
        return open_reader(self._path)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        connection.set_progress_handler(None, 0)
        connection.execute("ROLLBACK")
        with self._lock:
            self._free.append(connection)
