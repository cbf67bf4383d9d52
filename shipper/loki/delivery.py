"""One batch to one Loki until every entry of it is decided (promtail sendBatch).

Decided means: stored, or refused and counted. Everything else is tried again, for
ever unless the user set ``max_retries``. The order within the lane is kept: of a
batch that must be split, the left half is decided before the right one is sent. Only
where one entry is refused without a reason a later one goes first, to learn whose
fault it is (`doubt`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from shipper.metrics import ClientMetrics

from .batch import Batch
from .courier import Courier, Pause, Pusher, pause
from .doubt import Doubt, Step
from .fit import Fitted, fit
from .health import Health
from .knowledge import Knowledge
from .ledger import Ticket
from .outcome import Verdict, judge
from .part import Part, Push, Way, no_more
from .report import Reports
from .resend import resend
from .route import Route
from .settings import ClientSettings


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
        wall_clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Send through *pusher* and report decided tickets to *settle*.

        *replaced* hears of a tenant's entries and bytes that were stored changed.
        """
        self._settings = settings
        self._metrics = metrics
        self._settle = settle
        self._courier = Courier(
            settings, pusher, metrics=metrics, health=health, clock=clock, pause=pause
        )
        self._reports = Reports(settings.host, metrics, replaced, clock)
        self._doubt = Doubt(clock)
        self.knowledge = Knowledge(clock, wall_clock_ns)

    def retry_now(self) -> None:
        """End the backoff of lanes that wait for Loki to come back."""
        self._courier.retry_now()

    def stop_retrying(self) -> None:
        """Let every waiting lane try once more; what fails then stays undecided."""
        self._courier.stop_retrying()

    async def deliver(
        self,
        route: Route,
        batch: Batch,
        following: Callable[[], Batch | None] = no_more,
    ) -> None:
        """Bring *batch* to a decision and settle its tickets, part by part.

        So goes what *following* gives, the next of the lane, where it was asked.

        Raises:
            GaveUp: after `stop_retrying`, when Loki did not take it; nothing of what
                is left is settled.
        """
        self._metrics.init_tenant(route.tenant)
        await self.knowledge.first_answer()
        way = Way(route, [Part(batch)], following)
        try:
            while way.parts:
                part = way.parts.pop()
                if fitted := self._fit(route, part):
                    await self._send(way, part, fitted)
        finally:
            self._courier.forget(route)

    def _fit(self, route: Route, part: Part) -> Fitted | None:
        """Return what of *part* to push; decide what is out of time, perhaps all."""
        bounds = self.knowledge.bounds(route.tenant)
        text, longest = self._settings.push_encoding == "json", part.longest_bytes
        fitted = fit(route.stream, part.batch, bounds, longest, text=text)
        if fitted.dropped:
            self._reports.out_of_time(route, fitted.dropped)
            self._settle([dropped.ticket for dropped in fitted.dropped])
            part.batch = fitted.batch
        return fitted if fitted.entries else None

    async def _send(self, way: Way, part: Part, fitted: Fitted) -> None:
        """Push *part* once, and do what the answer asks for."""
        part.attempts += 1
        answer, body = await self._courier.push(way.route, fitted, part.attempts)
        own = way.route.tenant == self._settings.tenant
        outcome = judge(answer, len(fitted.entries), own_tenant=own)
        push = Push(way.route, part, fitted, body, answer, outcome)
        self._courier.note(push)
        if outcome.verdict is Verdict.STORED:
            self._stored(push)
        elif outcome.verdict is Verdict.REFUSED:
            way.parts += self._refused(push)
        elif outcome.verdict is Verdict.SPLIT and part.divisible:
            way.parts += await self._split(push)
        elif outcome.verdict is Verdict.SPLIT:
            await self._suspect(way, push)
        elif push.out_of_patience(self._settings):
            self._drop(push)
        else:
            await self._wait(push, part.attempts)
            way.parts += push.after_wait()

    def _stored(self, push: Push) -> None:
        self._doubt.stored()
        if push.part.suspect or push.part.refused:
            self._doubt.false_alarm()
        batch = push.fitted.batch
        self._reports.stored(push.route, len(batch), push.body)
        self._reports.limited(push.route, push.fitted.notes(), batch.entries)
        self._settle(batch.tickets)

    def _refused(self, push: Push) -> list[Part]:
        """Settle what was stored or refused; return what goes again, changed."""
        plan, batch = resend(push, self.knowledge), push.fitted.batch
        again = sorted(plan.again)
        done = batch.of([at for at in range(len(batch)) if at not in plan.again])
        if done:
            size, why = len(push.body.data) * len(done) // len(batch), push.outcome
            entries, notes = done.entries, push.fitted.notes(plan.again)
            self._reports.refused(push.route, entries, plan.dropped, why.reason, size)
            self._reports.limited(push.route, notes, entries)
            self._settle(done.tickets)
        return [push.part.changed(again)] if again else []

    async def _split(self, push: Push) -> list[Part]:
        """Return the halves of what is too large, or has an entry that spoils it.

        A 400 without a reason is asked for once more: a batch that passes then tells
        that such answers mean little here.
        """
        part = push.part
        known = part.refused or part.halved or self._courier.stopping
        if known or push.answer.status != 400:
            return part.halves()
        part.refused = True
        await self._wait(push, part.attempts)
        return [part]

    async def _suspect(self, way: Way, push: Push) -> None:
        """Keep a single entry that was refused without a reason, or give it up."""
        part = push.part
        part.suspect = self._doubt.refused(part.suspect)
        step = self._doubt.step(part.suspect)
        if part.place is not None:  # it went ahead, and is not the only one
            way.put_back(part)
        elif push.out_of_patience(self._settings):
            self._drop(push)
        elif step is Step.GIVE_UP:
            self._give_up(way, push)
        else:
            await self._wait(push, part.suspect.refusals)
            if step is Step.COMPARE:
                way.compare(part)
            else:
                way.parts.append(part)

    def _give_up(self, way: Way, push: Push) -> None:
        """Cut what is too large, or drop it."""
        dropped, batch = push.outcome.dropped, push.fitted.batch
        if "too_large" in dropped and push.part.cut_in_half():
            way.parts.append(push.part)
            return
        why, size = push.outcome.reason, len(push.body.data)
        self._reports.refused(push.route, batch.entries, dropped, why, size)
        self._settle(batch.tickets)

    def _drop(self, push: Push) -> None:
        """Give entries up as the user's settings ask."""
        batch, size = push.fitted.batch, len(push.body.data)
        self._reports.dropped(push.route, len(batch), push.outcome, size)
        self._settle(batch.tickets)

    async def _wait(self, push: Push, attempt: int) -> None:
        seconds = self._courier.delay(push, attempt)
        self._reports.waiting(push, seconds)
        await self._courier.wait(seconds, push.outcome)
