"""Run blocking work in as few threads as possible, but never behind a hung one.

One thread does everything in turn. Only when it is stuck in one piece of work
while others wait does another thread take the queue over; when the stuck one
comes back, it is let go. No thread can be stopped from outside while it sits in
a system call, so stuck threads are daemons: they do not keep the process alive.

A thread for every collector would be simpler, but it shows in what is measured:
49 threads woken at once are 49 tasks in node_procs_running.

The event loop is woken when nothing is left to do, not for every piece: waking it 49
times made a scrape of 49 collectors cost 21 ms instead of 12, because two threads that
both want to run pass the interpreter's lock to and fro.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar


T = TypeVar("T")

# How long nothing may finish before the queue gets another thread. The slowest
# healthy collector takes about 10 ms; a first scrape that meets N hung ones is
# late by N times this.
STALL_SECONDS = 0.05

_Job = tuple[Callable[[], T], Callable[[T], None], asyncio.AbstractEventLoop]
_Done = tuple[Callable[[T], None], T]


class Crew(Generic[T]):
    """The threads. Every method is for the event loop's thread.

    There are never more threads than pieces of work under way, and one to spare:
    the one that goes on while the others are stuck.
    """

    def __init__(self) -> None:
        """Start no thread yet."""
        self._jobs: queue.SimpleQueue[_Job[T] | None] = queue.SimpleQueue()
        self._done: deque[_Done[T]] = deque()
        self._threads = 0
        self._under_way = 0
        self._progress = False
        self._watch: asyncio.TimerHandle | None = None

    @property
    def threads(self) -> int:
        """Return the number of threads, working, stuck and idle."""
        return self._threads

    def submit(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Have *work* done, and *done* called with its result in the loop's thread.

        Neither may raise. Raises RuntimeError where the host has no thread left to
        begin with. A future for each of 49 collectors would cost 0.3 ms a scrape.
        """
        loop = asyncio.get_running_loop()
        if self._threads == 0:
            self._add_thread()
        self._under_way += 1
        self._jobs.put((work, done, loop))
        if self._watch is None:
            self._watch_from_now(loop)

    def deliver(self) -> None:
        """Give the results that there are to those who wait for them.

        For who stops waiting: a result may be up to STALL_SECONDS old.
        """
        while self._done:
            self._finish(*self._done.popleft())

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
        self.deliver()
        nothing_waits = self._under_way <= self._threads
        if not self._progress:
            if nothing_waits:
                return  # who is stuck tells of himself, should he come back
            # Without a thread to be had the next look tries again.
            with contextlib.suppress(RuntimeError):
                self._add_thread()
        if self._under_way:
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
            while job is not None:
                work, done, loop = job
                self._done.append((done, work()))
                job = self._next()
            try:
                loop.call_soon_threadsafe(self.deliver)
            except RuntimeError:  # the loop is closed: the program is ending
                return

    def _next(self) -> _Job[T] | None:
        """Return a piece of work that waits: its end will tell of what is done now."""
        try:
            job = self._jobs.get_nowait()
        except queue.Empty:
            return None
        if job is None:  # for a thread that has told of everything
            self._jobs.put(None)
        return job

    def _finish(self, done: Callable[[T], None], result: T) -> None:
        self._under_way -= 1
        self._progress = True
        if self._threads > self._under_way + 1:
            self._release_thread()
        done(result)
