"""Call one collector at a time, and remember when it hangs.

Upstream has no such thing: there a dead NFS mount stalls the whole scrape
(node_exporter#244, #868, #3058). Here a collector that hangs is not called again
before it returns, and is reported as failed meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from exporters.node import deadline
from exporters.node.crew import Crew
from exporters.node.registry import Collect, NoData
from exporters.toolkit.exposed import printable
from exporters.toolkit.metric import Metric


log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What one call of a collector gave.

    *metrics* are those yielded before *error*, if there was one: upstream, too,
    keeps what a collector sent before it failed.
    """

    metrics: tuple[Metric, ...]
    seconds: float
    error: BaseException | None

    @property
    def failure(self) -> str | None:
        """Return why the call did not succeed, in a word fit for a label."""
        if self.error is None:
            return None
        if isinstance(self.error, NoData):
            return "no_data"
        return "timeout" if isinstance(self.error, TimeoutError) else "error"


@dataclass(slots=True, eq=False)
class Call:
    """One call of a collector; any number of scrapes may wait for its *outcome*."""

    began: float
    outcome: Outcome | None = None
    overdue: bool = False
    on_end: list[Callable[[], None]] = field(default_factory=list)

    @property
    def elapsed_seconds(self) -> float:
        """Return how long the call has taken up to now."""
        return time.monotonic() - self.began

    def end(self, outcome: Outcome) -> None:
        """Give *outcome* to all who wait."""
        self.outcome = outcome
        for tell in self.on_end:
            tell()


async def wait(calls: Iterable[Call], seconds: float) -> None:
    """Return when all *calls* have ended or *seconds* have passed."""
    under_way = [call for call in calls if call.outcome is None]
    if not under_way:
        return
    left = len(under_way)
    all_ended = asyncio.get_running_loop().create_future()

    def one_ended() -> None:
        nonlocal left
        left -= 1
        if not left and not all_ended.done():
            all_ended.set_result(None)

    for call in under_way:
        call.on_end.append(one_ended)
    try:
        await asyncio.wait([all_ended], timeout=seconds)
    finally:
        for call in under_way:
            call.on_end.remove(one_ended)


class Caller:
    """Calls one collector. Every method is for the event loop's thread."""

    def __init__(self, name: str, collect: Collect, crew: Crew[Outcome]) -> None:
        """Run *collect* in the threads of *crew*; *name* is for the log."""
        self._name = name
        self._collect = collect
        self._crew = crew
        self._current: Call | None = None

    def call(self, patience_seconds: float = math.inf) -> Call:
        """Return the call under way, or begin one that knows *patience_seconds*."""
        call = self._current
        if call is None or call.outcome is not None:
            call = self._current = Call(time.monotonic())
            self._begin(call, patience_seconds)
        return call

    def give_up(self, call: Call) -> None:
        """Mark *call* as hanging: until it returns, later scrapes do not wait."""
        if call.overdue:
            return
        call.overdue = True
        log.error(
            "collector did not finish in time and is not called again before it does",
            extra={
                "fields": {
                    "name": self._name,
                    "duration_seconds": call.elapsed_seconds,
                }
            },
        )

    def _begin(self, call: Call, patience_seconds: float) -> None:
        try:
            self._crew.submit(
                lambda: run(self._collect, patience_seconds),
                lambda outcome: self._finished(call, outcome),
            )
        except RuntimeError as error:  # the host has no thread left for us
            self._finished(call, Outcome((), 0.0, error))

    def _finished(self, call: Call, outcome: Outcome) -> None:
        call.end(outcome)
        self._log(call, outcome)

    def _log(self, call: Call, outcome: Outcome) -> None:
        level, message = _line(call, outcome)
        if not log.isEnabledFor(level):
            return
        fields: dict[str, object] = {
            "name": self._name,
            "duration_seconds": outcome.seconds,
        }
        if outcome.error is not None:
            fields["err"] = describe(outcome.error)
        log.log(level, message, extra={"fields": fields})


def _line(call: Call, outcome: Outcome) -> tuple[int, str]:
    """Return the level and the text of the line about *call*."""
    if isinstance(outcome.error, NoData):
        return logging.DEBUG, "collector returned no data"
    if outcome.error is not None:
        return logging.ERROR, "collector failed"
    if call.overdue:
        return logging.WARNING, "collector finished late"
    return logging.DEBUG, "collector succeeded"


def run(collect: Collect, patience_seconds: float = math.inf) -> Outcome:
    """Call *collect*; whatever it raises is part of the outcome."""
    metrics: list[Metric] = []
    error: BaseException | None = None
    began = time.perf_counter()
    try:
        with deadline.within(patience_seconds):
            metrics.extend(collect())
    except BaseException as raised:  # noqa: BLE001 - it may raise anything at all
        # Without the traceback, which holds this frame and with it the error: a ring
        # that only the collector of garbage would undo, 25 of them a scrape.
        error = raised.with_traceback(None)
    seconds = time.perf_counter() - began
    good, fault = printable(metrics)  # the fault came before the error, if any
    return Outcome(good, seconds, fault or error)


def describe(error: BaseException) -> str:
    """Return *error* as its text, with its type where the text may not say enough."""
    plain = isinstance(error, (OSError, ValueError, NoData))
    return str(error) if plain else repr(error)
