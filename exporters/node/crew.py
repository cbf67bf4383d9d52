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


# How long nothing may finish before the queue gets another thread. The slowest
# healthy collector takes about 10 ms; a first scrape that meets N hung ones is
# late by N times this.
STALL_SECONDS = 0.05

Work = Callable[[], None]


class Crew:
    """The threads. Every method is for the thread of the one event loop.

    There are never more threads than pieces of work under way, and one to spare:
    the one that goes on while the others are stuck.
    """

    def __init__(self) -> None:
        """Start no thread yet."""
        self._jobs: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._done: deque[None] = deque()  # one for each piece that is done
        self._threads = 0
        self._under_way = 0
        self._progress = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def threads(self) -> int:
        """Return the number of threads, working, stuck and idle."""
        return self._threads

    def submit(self, *pieces: Work) -> None:
        """Have all *pieces* of work done in turn; see :meth:`wait` for their end.

        None may raise. Raises RuntimeError where the host has no thread left to begin
        with. A future for each of 49 collectors would cost 0.3 ms a scrape, and telling
        the loop of each result 0.2: what is done leaves its result where it is looked
        for.
        """
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        if self._threads == 0:
            self._add_thread()
        self._under_way += len(pieces)
        for work in pieces:
            self._jobs.put(work)
        if self._watch is None:
            self._watch_from_now(self._loop)

    async def wait(self, is_over: Callable[[], bool], seconds: float) -> None:
        """Return when *is_over* says so or *seconds* have passed.

        It is asked when the threads have nothing left to do and at every look at them.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not is_over():
                    news = asyncio.get_running_loop().create_future()
                    self._waiting.append(news)
                    await news

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
        self._settle()
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
        while (work := self._jobs.get()) is not None:
            while work is not None:
                work()
                self._done.append(None)
                work = self._next()
            try:
                assert self._loop is not None  # there was work
                self._loop.call_soon_threadsafe(self._settle)
            except RuntimeError:  # the loop is closed: the program is ending
                return

    def _next(self) -> Work | None:
        """Return a piece of work that waits: its end will tell of what is done now."""
        try:
            work = self._jobs.get_nowait()
        except queue.Empty:
            return None
        if work is None:  # for a thread that has told of everything
            self._jobs.put(None)
        return work

    def _settle(self) -> None:
        """Count what is done, let threads go that are too many, and tell who waits."""
        done = len(self._done)  # threads append meanwhile
        for _ in range(done):
            self._done.popleft()
        self._under_way -= done
        self._progress = self._progress or done > 0
        while self._threads > self._under_way + 1:
            self._release_thread()
        waiting, self._waiting = self._waiting, []
        for news in waiting:
            if not news.done():  # it was cancelled
                news.set_result(None)
