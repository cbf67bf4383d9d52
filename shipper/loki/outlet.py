"""One Loki as the sender sees it: its lanes, and how it labels what goes there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from shipper.metrics import ClientMetrics, Reason
from shipper.pipeline.entry import Labels

from .batch import Builder
from .delivery import Delivery, GaveUp, Pause, Route
from .encode import format_labels
from .lane import Lane
from .ledger import Ticket
from .settings import ClientSettings


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
        clock: Callable[[], float],
        pause: Pause,
    ) -> None:
        """Send by *settings* through *delivery*."""
        self.settings = settings
        self._delivery = delivery
        self._metrics = metrics
        self._clock = clock
        self._pause = pause
        self._lanes: dict[Labels, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._lanes)

    def add(self, labels: Labels, ticket: Ticket, owner: asyncio.TaskGroup) -> None:
        """Put *ticket* on the lane of *labels*; *owner* runs a lane that is new."""
        lane = self._lanes.get(labels)
        if lane is not None:
            lane.add(ticket)
            return
        lane = self._lanes[labels] = self._open(labels)
        lane.add(ticket)
        task = owner.create_task(self._run(labels, lane), name=f"lane {labels}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def count_too_long(self, labels: Labels, cut: int | None, size: int) -> None:
        """Count a line over max_line_size: *cut* bytes lost, or None: all *size*."""
        tenant = dict(labels).get(TENANT_LABEL, self.settings.tenant)
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
    return Route(format_labels(tuple(sorted(merged.items()))), tenant)
