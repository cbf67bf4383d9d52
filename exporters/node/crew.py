"""Run blocking work in as few threads as possible, but never behind a hung one.

One thread does everything in turn. Only when it is stuck in one piece of work
while others wait does another thread take the queue over; when the stuck one
comes back, it is let go. No thread can be stopped from outside while it sits in
a system call, so stuck threads are daemons: they do not keep the process alive.

A thread for every collector would be simpler, but it shows in what is measured:
23 threads woken at once are 23 tasks in node_procs_running.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar


T = TypeVar("T")

# How long nothing may finish before the queue gets another thread. The slowest
# healthy collector takes about 10 ms; a first scrape that meets N hung ones is
# late by N times this.
STALL_SECONDS = 0.05

_Job = tuple[Callable[[], T], "asyncio.Future[T]", asyncio.AbstractEventLoop]


class Crew(Generic[T]):
    """The threads. Every method is for the event loop's thread.

    There are never more threads than pieces of work under way, and one to spare:
    the one that goes on while the others are stuck.
    """

    def __init__(self) -> None:
        """Start no thread yet."""
        self._jobs: queue.SimpleQueue[_Job[T] | None] = queue.SimpleQueue()
        self._threads = 0
        self._under_way = 0
        self._progress = False
        self._watch: asyncio.TimerHandle | None = None

    @property
    def threads(self) -> int:
        """Return the number of threads, working, stuck and idle."""
        return self._threads

    def submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Return the future result of *work*, which must not raise.

        Raises RuntimeError where the host has no thread left to begin with.
        Cancelling the future does not stop the work.
        """
        loop = asyncio.get_running_loop()
        if self._threads == 0:
            self._add_thread()
        future: asyncio.Future[T] = loop.create_future()
        self._under_way += 1
        self._jobs.put((work, future, loop))
        if self._watch is None:
            self._watch_from_now(loop)
        return future

    def close(self) -> None:
        """Let every thread go as soon as it is idle."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        while self._threads:
            self._release_thread()

    def _watch_from_now(self, loop: asyncio.AbstractEventLoop) -> None:
        self._progress = False
        self._watch = loop.call_later(STALL_SECONDS, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watch = None
        if self._under_way <= self._threads:
            return  # nothing waits for a thread
        if not self._progress:
            # Without a thread to be had the next look tries again.
            with contextlib.suppress(RuntimeError):
                self._add_thread()
        self._watch_from_now(loop)

    def _add_thread(self) -> None:
        name = f"collectors-{self._threads}"
        threading.Thread(target=self._work, name=name, daemon=True).start()
        self._threads += 1

    def _release_thread(self) -> None:
        self._threads -= 1
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, future, loop = job
            result = work()
            try:
                loop.call_soon_threadsafe(self._finish, future, result)
            except RuntimeError:  # the loop is closed: the program is ending
                return

    def _finish(self, future: asyncio.Future[T], result: T) -> None:
        self._under_way -= 1
        self._progress = True
        if self._threads > self._under_way + 1:
            self._release_thread()
        if not future.cancelled():
            future.set_result(result)
