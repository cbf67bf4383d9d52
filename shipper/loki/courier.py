"""Pushes of one client: carried out, waited for, and told to /ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from shipper.metrics import ClientMetrics

from .backoff import Backoff
from .body import BODIES, Body
from .fit import Fitted
from .health import Health
from .outcome import Answer, Outcome, Verdict
from .part import Push
from .route import Route
from .settings import ClientSettings


MAX_PUSHES_IN_FLIGHT = 8
"""Pushes of different streams under way at once to one Loki."""

RECOVERY_PERIOD_SECONDS = 5.0
"""A first success ends the backoff of all lanes, but no more often than this."""

HOLD_BACKOFF = Backoff(min_seconds=5.0, max_seconds=60.0)
"""Pace while a person must act; the next try tells that it was done."""

Pause = Callable[[float, asyncio.Event], Awaitable[None]]
"""Wait so many seconds, or until the event is set."""


class Pusher(Protocol):
    """Sends one body; `PushClient` in the program, a script in tests."""

    async def push(self, tenant: str, body: bytes) -> Answer:
        """Return Loki's answer; failures of the network are answers too."""


class GaveUp(Exception):  # noqa: N818 - not an error: the program is stopping
    """The program stops and Loki does not take the batch: it stays undecided."""


async def pause(seconds: float, wake: asyncio.Event) -> None:
    """Wait *seconds*, or less when *wake* is set."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return


class Courier:
    """Pushes for all lanes of one client, so many at once, and waits between."""

    def __init__(
        self,
        settings: ClientSettings,
        pusher: Pusher,
        *,
        metrics: ClientMetrics,
        health: Health,
        clock: Callable[[], float],
        pause: Pause,
    ) -> None:
        """Push through *pusher*; *clock* is monotonic, in seconds."""
        self._settings = settings
        self._pusher = pusher
        self._encode = BODIES[settings.push_encoding]
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._pause = pause
        self._slots = asyncio.Semaphore(MAX_PUSHES_IN_FLIGHT)
        self._recovered = asyncio.Event()
        self._recovered_at = float("-inf")
        self._stopped = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Say whether the program stops, so that nothing is waited for."""
        return self._stopped.is_set()

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

    async def push(
        self, route: Route, fitted: Fitted, attempt: int
    ) -> tuple[Answer, Body]:
        """Push once; *attempt* counts from 1."""
        body = self._encode(fitted.stream, fitted.entries)
        if attempt == 1:
            self._metrics.encoded(len(body.data))
        async with self._slots:  # never held through a backoff: others go on
            started = self._clock()
            answer = await self._pusher.push(route.tenant, body.data)
            self._metrics.requested(answer.status, self._clock() - started)
        return answer, body

    def note(self, push: Push) -> None:
        """Tell /ready, and wake the lanes when Loki is back."""
        reason = push.outcome.reason
        if push.outcome.verdict is Verdict.RETRY:
            self._health.failed(reason, connected=push.answer.connected)
        elif push.held:
            self._health.held(push.route, reason)
        else:
            was_ready = self._health.reachable
            self._health.reached(push.route)
            if not was_ready:
                self.retry_now()

    def delay(self, push: Push, attempt: int) -> float:
        """Return the seconds to wait after *attempt*, counted from 1."""
        holding = push.outcome.verdict is Verdict.HOLD
        backoff = HOLD_BACKOFF if holding else self._settings.backoff
        seconds = backoff.delay(attempt)
        if push.held:  # a lane stands still for one entry: ask a little more often
            seconds = min(seconds, HOLD_BACKOFF.max_seconds)
        return max(seconds, push.answer.retry_after_seconds or 0.0)

    async def wait(self, seconds: float, outcome: Outcome) -> None:
        """Wait *seconds*, or until Loki is back, or the program stops.

        Raises:
            GaveUp: it stops already.
        """
        if self.stopping:
            raise GaveUp(outcome.reason)
        retrying = outcome.verdict is Verdict.RETRY
        await self._pause(seconds, self._recovered if retrying else self._stopped)

    def forget(self, route: Route) -> None:
        """Forget what /ready was told of *route*, which has nothing more to send."""
        self._health.forget(route)
