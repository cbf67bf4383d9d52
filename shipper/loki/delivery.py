"""One batch to one Loki until every entry of it is decided (promtail sendBatch).

Decided means: stored, or refused and counted. Everything else is tried again, for
ever unless the user set ``max_retries``. The order within the lane is kept: of a
batch that must be split, the left half is decided before the right one is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shipper.metrics import ClientMetrics

from .backoff import Backoff
from .batch import Batch
from .body import BODIES, Body
from .health import Health
from .ledger import Ticket
from .outcome import Answer, Outcome, Verdict, judge
from .report import Reports
from .route import Route
from .settings import ClientSettings


MAX_PUSHES_IN_FLIGHT = 8
"""Pushes of different streams under way at once to one Loki."""

REFUSALS_BEFORE_SPLIT = 3
"""A push over the burst of a rate limit never passes: after so many 429, halve it."""

RECOVERY_PERIOD_SECONDS = 5.0
"""A first success ends the backoff of all lanes, but no more often than this."""

HOLD_BACKOFF = Backoff(min_seconds=5.0, max_seconds=60.0)
"""Pace while a person must act; the next try tells that it was done."""


class Pusher(Protocol):
    """Sends one body; `PushClient` in the program, a script in tests."""

    async def push(self, tenant: str, body: bytes) -> Answer:
        """Return Loki's answer; failures of the network are answers too."""


class GaveUp(Exception):  # noqa: N818 - not an error: the program is stopping
    """The program stops and Loki does not take the batch: it stays undecided."""


Pause = Callable[[float, asyncio.Event], Awaitable[None]]
"""Wait so many seconds, or until the event is set."""


async def pause(seconds: float, wake: asyncio.Event) -> None:
    """Wait *seconds*, or less when *wake* is set."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return


@dataclass(slots=True)
class _Part:
    """A batch or a piece of one, and how it fared."""

    batch: Batch
    attempts: int = 0
    limited_in_row: int = 0

    @property
    def divisible(self) -> bool:
        return len(self.batch.tickets) > 1

    def halves(self, attempts: int = 0) -> list[_Part]:
        """Return the halves as a stack: what was read first is on top."""
        left, right = self.batch.halves()
        return [_Part(right, attempts), _Part(left, attempts)]


class Delivery:
    """Everything the lanes of one client share."""

    def __init__(
        self,
        settings: ClientSettings,
        pusher: Pusher,
        *,
        metrics: ClientMetrics,
        replaced: Callable[[str, int, int], None],
        health: Health,
        settle: Callable[[Sequence[Ticket]], None],
        clock: Callable[[], float],
        pause: Pause = pause,
    ) -> None:
        """Send through *pusher* and report decided tickets to *settle*.

        *replaced* hears of a tenant's entries and bytes that were stored changed.
        """
        self._settings = settings
        self._pusher = pusher
        self._encode = BODIES[settings.push_encoding]
        self._metrics = metrics
        self._health = health
        self._settle = settle
        self._clock = clock
        self._pause = pause
        self._reports = Reports(settings.host, metrics, replaced, clock)
        self._slots = asyncio.Semaphore(MAX_PUSHES_IN_FLIGHT)
        self._recovered = asyncio.Event()
        self._recovered_at = float("-inf")
        self._stopped = asyncio.Event()

    def retry_now(self) -> None:
        """End the backoff of lanes that wait for Loki to come back."""
        now = self._clock()
        if now - self._recovered_at >= RECOVERY_PERIOD_SECONDS:
            self._recovered_at = now
            self._recovered.set()
            self._recovered = asyncio.Event()

    def stop_retrying(self) -> None:
        """Let every waiting lane try once more; what fails then stays undecided."""
        self._stopped.set()
        self._recovered.set()

    async def deliver(self, route: Route, batch: Batch) -> None:
        """Bring *batch* to a decision and settle its tickets, part by part.

        Raises:
            GaveUp: after `stop_retrying`, when Loki did not take it; nothing of what
                is left is settled.
        """
        self._metrics.init_tenant(route.tenant)
        parts = [_Part(batch)]
        try:
            while parts:
                part = parts.pop()
                answer, body = await self._push(route, part)
                own = route.tenant == self._settings.tenant
                outcome = judge(answer, len(part.batch.tickets), own_tenant=own)
                self._note(route, answer, outcome)
                if self._decide(route, part, outcome, body):
                    self._settle(part.batch.tickets)
                elif outcome.verdict is Verdict.SPLIT:
                    parts += part.halves()
                else:
                    await self._wait(route, part, answer, outcome)
                    parts += self._next(part, outcome)
        finally:
            self._health.forget(route)

    async def _push(self, route: Route, part: _Part) -> tuple[Answer, Body]:
        part.attempts += 1
        entries = [ticket.shipped for ticket in part.batch.tickets]
        body = self._encode(route.stream, entries)
        if part.attempts == 1:
            self._metrics.encoded(len(body.data))
        async with self._slots:  # never held through a backoff: others go on
            started = self._clock()
            answer = await self._pusher.push(route.tenant, body.data)
            self._metrics.requested(answer.status, self._clock() - started)
        return answer, body

    def _note(self, route: Route, answer: Answer, outcome: Outcome) -> None:
        """Tell /ready, and wake the lanes when Loki is back."""
        if outcome.verdict is Verdict.RETRY:
            self._health.failed(outcome.reason, connected=answer.connected)
        elif outcome.verdict is Verdict.HOLD:
            self._health.held(route, outcome.reason)
        else:
            was_ready = self._health.reachable
            self._health.reached(route)
            if not was_ready:
                self.retry_now()

    def _decide(self, route: Route, part: _Part, outcome: Outcome, body: Body) -> bool:
        """Count and return True when the fate of the whole part is known."""
        entries, size = len(part.batch.tickets), len(body.data)
        match outcome.verdict:
            case Verdict.STORED:
                self._reports.stored(route, entries, body)
                return True
            case Verdict.REFUSED:
                self._reports.refused(route, part.batch, outcome, size)
                return True
            case Verdict.SPLIT if not part.divisible:
                self._reports.refused(route, part.batch, outcome, size)
                return True
            case Verdict.RETRY | Verdict.LIMITED if self._out_of_patience(
                part, outcome
            ):
                self._reports.dropped(route, entries, outcome, size)
                return True
        return False

    def _out_of_patience(self, part: _Part, outcome: Outcome) -> bool:
        limited = outcome.verdict is Verdict.LIMITED
        if limited and self._settings.drop_rate_limited_batches:
            return True
        attempts = self._settings.max_retries
        return bool(attempts) and part.attempts >= (attempts or 0)

    def _next(self, part: _Part, outcome: Outcome) -> list[_Part]:
        """Return what to send after the wait: the part, or its halves."""
        if outcome.verdict is not Verdict.LIMITED:
            part.limited_in_row = 0
            return [part]
        part.limited_in_row += 1
        if part.limited_in_row >= REFUSALS_BEFORE_SPLIT and part.divisible:
            return part.halves(part.attempts)
        return [part]

    async def _wait(
        self, route: Route, part: _Part, answer: Answer, outcome: Outcome
    ) -> None:
        holding = outcome.verdict is Verdict.HOLD
        backoff = HOLD_BACKOFF if holding else self._settings.backoff
        seconds = backoff.delay(part.attempts)
        if answer.retry_after_seconds is not None:
            seconds = max(seconds, answer.retry_after_seconds)
        self._reports.waiting(route, answer, outcome, seconds)
        if self._stopped.is_set():
            raise GaveUp(outcome.reason)
        retrying = outcome.verdict is Verdict.RETRY
        await self._pause(seconds, self._recovered if retrying else self._stopped)
