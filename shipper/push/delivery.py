"""The entries of one request on their way: put one by one, acknowledged in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shipper.pipeline.entry import Entry, Sink
from shipper.push.content import Item


class Delivery:
    """Puts *items*; it is the cursor of its entries.

    `abandon` ends it without cancelling a put: what a pipeline has taken goes on.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.done = asyncio.Event()
        """Set when every entry is acknowledged."""
        self.put = 0
        self.failed = False
        self._items = items
        self._missing = len(items)
        self._abandoned = False
        if not items:
            self.done.set()

    @property
    def missing(self) -> int:
        """Return how many entries are not acknowledged."""
        return self._missing

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Count *entries*."""
        self._missing -= len(entries)
        if self._missing <= 0:
            self.done.set()

    def abandon(self) -> None:
        """Put nothing more: the sender will give all of it again."""
        self._abandoned = True

    def fail(self) -> None:
        """Give up: the sink does not work."""
        self.failed = True
        self.done.set()

    async def run(self, sink: Sink) -> None:
        """Put everything to *sink*, waiting while there is no room."""
        for labels, entry in self._items:
            if self._abandoned:
                return
            await sink.put(labels, entry, self)
            self.put += 1
