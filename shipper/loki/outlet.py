"""One Loki as the sender sees it: its lanes, and how it labels what goes there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from shipper.metrics import ClientMetrics, Reason
from shipper.pipeline.entry import Entry, Labels

from .batch import Builder
from .body import Stream
from .courier import GaveUp, Pause
from .delivery import Delivery
from .encode import format_labels
from .lane import Lane
from .ledger import Ticket
from .quiet import Quiet
from .route import Route
from .settings import ClientSettings, EntryLimits
from .streams import StreamLimit


log = logging.getLogger(__name__)

TENANT_LABEL = "__tenant_id__"
"""Names the tenant of an entry; it is taken off before the push (promtail §1.1)."""


class Outlet:
    """The lanes of one client."""

    def __init__(
        self,
        settings: ClientSettings,
        delivery: Delivery,
        metrics: ClientMetrics,
        *,
        limits: EntryLimits,
        clock: Callable[[], float],
        pause: Pause,
    ) -> None:
        """Send by *settings* through *delivery* what is within *limits*."""
        self.settings = settings
        self._limits = limits
        self._streams = StreamLimit(
            limits.max_streams,
            size_bytes=settings.batch_size_bytes,
            wait_seconds=settings.batch_wait_seconds,
            clock=clock,
        )
        self._delivery = delivery
        self._metrics = metrics
        self._clock = clock
        self._pause = pause
        self._lanes: dict[Labels, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet = Quiet(clock)

    def __len__(self) -> int:
        return len(self._lanes)

    def add(
        self,
        labels: Labels,
        entries: Sequence[Entry],
        ticket: Ticket,
        owner: asyncio.TaskGroup,
    ) -> int:
        """Put *entries* on the lane of *labels*; *owner* runs a lane that is new.

        Returns how many of them max_streams drops, which are counted then.
        """
        dropped = 0
        if self._limits.max_streams:
            kept = [entry for entry in entries if self._admits(labels, entry)]
            dropped, entries = len(entries) - len(kept), kept
        if not entries:
            return dropped
        lane = self._lanes.get(labels)
        if lane is not None:
            lane.add(ticket, entries)
            return dropped
        lane = self._lanes[labels] = self._open(labels)
        lane.add(ticket, entries)
        task = owner.create_task(self._run(labels, lane), name=f"lane {labels}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return dropped

    def _admits(self, labels: Labels, entry: Entry) -> bool:
        tenant = tenant_of(labels, self.settings)
        if self._streams.admits(tenant, labels, entry.size_bytes):
            return True
        self._metrics.init_tenant(tenant)
        size = len(entry.line)
        self._metrics.dropped(tenant, Reason.STREAM_LIMITED, 1, size)
        again = self._quiet.may_say(("stream limited", tenant))
        if again is not None:
            log.error(
                "streams limit exceeded, entries of further streams are dropped",
                extra={"fields": {
                    "host": self.settings.host, "tenant": tenant,
                    "limit": self._limits.max_streams,
                    "stream": format_labels(labels), "suppressed": again,
                }},
            )  # fmt: skip
        return False

    def count_too_long(self, labels: Labels, cut: int | None, size: int) -> None:
        """Count a line over max_line_size: *cut* bytes lost, or None: all *size*."""
        tenant = tenant_of(labels, self.settings)
        self._metrics.init_tenant(tenant)
        if cut is None:
            self._metrics.dropped(tenant, Reason.LINE_TOO_LONG, 1, size)
        else:
            self._metrics.mutated(tenant, Reason.LINE_TOO_LONG, cut)

    def flush(self) -> None:
        """Send everything without waiting for size or age."""
        for lane in self._lanes.values():
            lane.flush()

    def stop_retrying(self) -> None:
        """Give every batch one more try."""
        self._delivery.stop_retrying()

    async def finished(self) -> None:
        """Wait until every lane has ended, empty or given up."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def abandon(self) -> None:
        """Cancel the lanes; what they hold stays undecided."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()

    async def _run(self, labels: Labels, lane: Lane) -> None:
        with suppress(GaveUp):
            await lane.run(lambda: self._lanes.pop(labels))

    def _open(self, labels: Labels) -> Lane:
        settings = self.settings
        return Lane(
            route_for(labels, settings),
            Builder(
                size_bytes=settings.batch_size_bytes,
                wait_seconds=settings.batch_wait_seconds,
            ),
            self._delivery,
            clock=self._clock,
            pause=self._pause,
        )


def route_for(labels: Labels, settings: ClientSettings) -> Route:
    """Return *labels* as the client of *settings* sends them.

    external_labels lie under the entry's own: the entry wins.
    """
    merged = {**settings.external_labels, **dict(labels)}
    tenant = merged.pop(TENANT_LABEL, settings.tenant)
    return Route(Stream.of(tuple(sorted(merged.items()))), tenant)


def tenant_of(labels: Labels, settings: ClientSettings) -> str:
    """Return the tenant of an entry of the stream *labels*, as `route_for` does."""
    default = settings.external_labels.get(TENANT_LABEL, settings.tenant)
    return dict(labels).get(TENANT_LABEL, default)
