"""The sink: every entry to every Loki, in order per stream, acknowledged when decided.

    put() -- ledger (room, ticket) -- one Outlet per client -- one Lane per stream
                  ^                                                   |
                  +---- cursor.acknowledge <--- settle <--- Delivery -+

A stream that Loki refuses or limits waits in its own lane; the others go on. An entry
is acknowledged when every client has decided about it, and in the order of its
cursor. Cancelling anything leaves entries undecided, never acknowledged too early.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from shipper.metrics import ClientMetrics, ShipperMetrics
from shipper.pipeline.entry import Cursor, Entry, Labels, Streams, is_untracked

from .courier import Pause, Pusher, pause
from .cut import character_end
from .delivery import Delivery
from .health import Health
from .ledger import Ledger, Limits, Ticket
from .outlet import Outlet
from .replaced import ReplacedBytes
from .settings import ClientSettings, EntryLimits


class Sender:
    """Implements `BoundedSink`; an async context manager that owns its tasks."""

    def __init__(
        self,
        metrics: ShipperMetrics,
        *,
        clients: int,
        limits: Limits | None = None,
        entry_limits: EntryLimits | None = None,
        clock: Callable[[], float] | None = None,
        pause: Pause = pause,
    ) -> None:
        """Prepare for *clients*, each to be added with `connect` before the first put.

        *clock* is monotonic, in seconds; it and *pause* are injected by tests.
        """
        self.sure = True
        self._metrics = metrics
        self._ledger = Ledger(clients, limits or Limits())
        self._entry_limits = entry_limits or EntryLimits()
        self._clock = clock or asyncio.get_running_loop().time
        self._pause = pause
        self._outlets: list[Outlet] = []
        self._tasks = asyncio.TaskGroup()
        metrics.queue_bytes.set_function(lambda: self._ledger.held_bytes)
        metrics.queue_entries.set_function(lambda: self._ledger.held_entries)

    async def __aenter__(self) -> Self:
        """Start to own the lanes."""
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cancel what is left: it stays undecided."""
        for outlet in self._outlets:
            await outlet.abandon()
        await self._tasks.__aexit__(kind, error, trace)

    def connect(
        self, settings: ClientSettings, pusher: Pusher, health: Health
    ) -> Delivery:
        """Add a client that sends through *pusher*; returns what retries for it."""
        counters = ClientMetrics(self._metrics, settings.host)
        delivery = Delivery(
            settings,
            pusher,
            metrics=counters,
            replaced=ReplacedBytes(self._metrics, settings).count,
            health=health,
            settle=self._settle,
            clock=self._clock,
            pause=self._pause,
        )
        outlet = Outlet(
            settings,
            delivery,
            counters,
            limits=self._entry_limits,
            clock=self._clock,
            pause=self._pause,
        )
        self._outlets.append(outlet)
        return delivery

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        """Take *entry* for the stream *labels*, waiting while there is no room.

        When this is cancelled the entry was not taken.
        """
        await self.put_all(((labels, (entry,)),), cursor)

    async def put_all(self, streams: Streams, cursor: Cursor) -> None:
        """Take all entries of *streams*, waiting while there is no room.

        When this is cancelled none was taken.
        """
        while not self._ledger.admits_all(streams, cursor):
            await self.room()
        ticket = self._ledger.enter(streams, cursor)
        dropped = 0
        for labels, entries in streams:
            shipped = self._within(labels, entries)
            dropped += (len(entries) - len(shipped)) * len(self._outlets)
            for outlet in self._outlets:
                dropped += outlet.add(labels, shipped, ticket, self._tasks)
        if dropped:
            self._settle((ticket,) * dropped)

    def admits(self, entries: Sequence[Entry], cursor: Cursor) -> bool:
        """Say whether there is room for all of *entries* now."""
        return self._ledger.admits(entries, cursor)

    async def room(self) -> None:
        """Wait until something was decided."""
        self.flush()  # a batch still collecting would hold the room that is wanted
        await self._ledger.room()

    def flush(self) -> None:
        """Send everything without waiting for size or age."""
        for outlet in self._outlets:
            outlet.flush()

    async def drain(self, seconds: float) -> int:
        """Send what is left within *seconds*; return how many entries are undecided.

        Call it when nothing puts any more. Lanes that wait for Loki try once more;
        after that, and after *seconds*, they are abandoned: undecided, so the next
        start reads those lines again.
        """
        self.flush()
        for outlet in self._outlets:
            outlet.stop_retrying()
        try:
            async with asyncio.timeout(seconds):
                for outlet in self._outlets:
                    await outlet.finished()
        except TimeoutError:
            pass
        for outlet in self._outlets:
            await outlet.abandon()
        return self._ledger.held_entries

    def left_over(self) -> list[tuple[Labels, Entry]]:
        """Return what is undecided and nobody will give again."""
        return [
            (labels, entry)
            for ticket in self._ledger.undecided()
            if is_untracked(ticket.account.cursor)
            for labels, entries in ticket.streams
            for entry in entries
        ]

    def _settle(self, tickets: Sequence[Ticket]) -> None:
        self._ledger.settle(tickets)

    def _within(self, labels: Labels, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return what max_line_size leaves of *entries*."""
        limit = self._entry_limits.max_line_bytes
        if not limit or all(len(entry.line) <= limit for entry in entries):
            return entries
        cut = (self._cut(labels, entry, limit) for entry in entries)
        return [entry for entry in cut if entry is not None]

    def _cut(self, labels: Labels, entry: Entry, limit: int) -> Entry | None:
        """Apply max_line_size to *entry*; return None when it is dropped."""
        line = entry.line
        if len(line) <= limit:
            return entry
        kept = (
            line[: character_end(line, limit)] if self._entry_limits.truncate else None
        )
        cut = None if kept is None else len(line) - len(kept)
        for outlet in self._outlets:
            outlet.count_too_long(labels, cut, len(line))
        return None if kept is None else entry._replace(line=kept)
