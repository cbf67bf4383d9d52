"""One stream on its way to one Loki: batches leave one after the other, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from shipper.pipeline.entry import Entry

from .batch import Batch, Builder
from .courier import Pause
from .delivery import Delivery
from .ledger import Ticket
from .route import Route


class Lane:
    """Collects the entries of a stream and delivers them, until there are none.

    A lane lives while it has entries: `run` ends, and says so, when all are decided.
    The next entry makes a new lane, so streams that end leave nothing behind.
    """

    def __init__(
        self,
        route: Route,
        builder: Builder,
        delivery: Delivery,
        *,
        clock: Callable[[], float],
        pause: Pause,
    ) -> None:
        """Deliver what is added through *delivery* as the stream *route*."""
        self._route = route
        self._builder = builder
        self._delivery = delivery
        self._clock = clock
        self._pause = pause
        self._closed: deque[Batch] = deque()
        self._kick = asyncio.Event()
        self._flush = False

    def add(self, ticket: Ticket, entries: Sequence[Entry]) -> None:
        """Append *entries*; never waits, the ledger has made room before."""
        if closed := self._builder.add_all(ticket, entries, self._clock()):
            self._closed += closed
            self._kick.set()

    def flush(self) -> None:
        """Send what is here without waiting for size or age."""
        self._flush = True
        self._kick.set()

    async def run(self, on_empty: Callable[[], object]) -> None:
        """Deliver batch after batch; the last thing when none is left is *on_empty*.

        Raises:
            GaveUp: the program stops and Loki does not take a batch.
        """
        while self._closed or self._builder:
            batch = await self._next()
            await self._delivery.deliver(self._route, batch, self._following)
        on_empty()

    async def _next(self) -> Batch:
        """Return the next batch once it is full, old enough or asked for."""
        while not self._closed and not self._flush:
            seconds = self._builder.due_in(self._clock())
            if seconds <= 0:
                break
            self._kick.clear()
            await self._pause(seconds, self._kick)
        if not self._closed:
            self._flush = False
        return self._following() or self._builder.take()

    def _following(self) -> Batch | None:
        """Return what is here beyond the batch under way, full or not."""
        if self._closed:
            return self._closed.popleft()
        return self._builder.take() if self._builder else None
