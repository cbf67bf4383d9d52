"""The one thread that writes: pushes wait for the commit that holds them.

While one commit waits for the disk the next pushes gather, and go together in the
following one (group commit).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from shipper.store.ingest import Batch, Ingester, Outcome
from shipper.store.model import Stream
from shipper.wire.errors import Answer


T = TypeVar("T")
Listener = Callable[[str, Sequence[Stream]], None]
_Waiting = tuple[Batch, asyncio.Future[Outcome]]

QUEUE_PUSHES: Final = 64
"""Pushes that may wait for the thread; with 16 MiB bodies the worst case is 1 GiB."""
GROUP_LINES: Final = 50_000
WAIT_SECONDS: Final = 10.0
COMMIT_SECONDS: Final = 60.0


class Writer:
    """Own the writing thread; *listener* hears of every stored batch, on the loop."""

    def __init__(self, ingester: Ingester, listener: Listener) -> None:
        self._ingester = ingester
        self._listener = listener
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(QUEUE_PUSHES)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._closing = asyncio.Event()

    async def append(self, batch: Batch) -> Outcome:
        """Return what became of *batch* once it is on the disk.

        Waits for room in the queue at most `WAIT_SECONDS`, for the disk at most
        `COMMIT_SECONDS`; then it is a 503. Raises Answer, also when SQLite refuses
        (500). A batch whose waiter gives up may still be stored: the client will push
        it again and it is a duplicate then.
        """
        if self._closing.is_set():
            raise Answer(503, "the store is shutting down")
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._queue.put((batch, done))
            async with asyncio.timeout(COMMIT_SECONDS):
                return await done
        except TimeoutError:
            raise Answer(
                503, "the store cannot keep up with its disk, try again later"
            ) from None

    async def run(self) -> None:
        """Commit what is pushed until `close`, and what is still waiting then."""
        while (group := await self._gather()) is not None:
            try:
                outcomes = await self.call(
                    lambda batches: self._ingester.commit(batches),  # noqa: PLW0108
                    [batch for batch, _ in group],
                )
            except Answer as answer:
                for _, done in group:
                    _refuse(done, answer)
                continue
            for (batch, done), outcome in zip(group, outcomes, strict=True):
                self._listener(batch.tenant, outcome.stored)
                if not done.done():
                    done.set_result(outcome)

    async def call(self, function: Callable[..., T], *args: object) -> T:
        """Run *function* in the writing thread, between two commits."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*args))

    def close(self) -> None:
        """Take nothing more; `run` returns when what waits is stored."""
        self._closing.set()

    def stop_thread(self) -> None:
        """Let the thread end; call after `run` has returned."""
        self._thread.shutdown(wait=True)

    async def _gather(self) -> list[_Waiting] | None:
        first = await self._next()
        if first is None:
            return None
        group, lines = [first], _lines(first)
        while lines < GROUP_LINES and not self._queue.empty():
            group.append(self._queue.get_nowait())
            lines += _lines(group[-1])
        return group

    async def _next(self) -> _Waiting | None:
        """Return the next push, None when closing and nothing waits."""
        if not self._queue.empty():
            return self._queue.get_nowait()
        getting = asyncio.ensure_future(self._queue.get())
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({getting, closing}, return_when="FIRST_COMPLETED")
            if getting.done():
                return getting.result()
        finally:
            for waiter in (getting, closing):
                waiter.cancel()
            await asyncio.gather(getting, closing, return_exceptions=True)
        return None if self._queue.empty() else self._queue.get_nowait()


def _lines(waiting: _Waiting) -> int:
    return sum(len(stream.entries) for stream in waiting[0].streams)


def _refuse(done: asyncio.Future[Outcome], answer: Answer) -> None:
    if not done.done():
        done.set_exception(answer)
