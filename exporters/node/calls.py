"""Call one collector at a time, and remember when it hangs.

Upstream has no such thing: there a dead NFS mount stalls the whole scrape
(node_exporter#244, #868, #3058). Here a collector that hangs is not called again
before it returns, and is reported as failed meanwhile.
"""

from __future__ import annotations

import logging
import math
import time
from typing import NamedTuple

from exporters.node import deadline
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


class Call:
    """One call of a collector; any number of scrapes may wait for its *outcome*.

    That is set in the thread which calls, once; everything else is for the loop's.
    """

    __slots__ = ("_caller", "_patience", "began", "outcome", "overdue")

    def __init__(self, caller: Caller, patience_seconds: float) -> None:
        self._caller = caller
        self._patience = patience_seconds
        self.began = time.monotonic()
        self.outcome: Outcome | None = None
        self.overdue = False

    def __call__(self) -> None:
        """Call the collector; never raises."""
        self.end(run(self._caller.collect, self._patience))

    def end(self, outcome: Outcome) -> None:
        """Give *outcome* to all who wait, and log it."""
        self.outcome = outcome
        self._caller.log(self, outcome)

    @property
    def elapsed_seconds(self) -> float:
        """Return how long the call has taken up to now."""
        return time.monotonic() - self.began


class Caller:
    """Calls one collector."""

    def __init__(self, name: str, collect: Collect) -> None:
        """Call *collect*; *name* is for the log."""
        self._name = name
        self.collect = collect
        self._current: Call | None = None

    def call(self, patience_seconds: float = math.inf) -> tuple[Call, bool]:
        """Return the call under way, or one that is yet to be made, and which it is."""
        call = self._current
        if call is not None and call.outcome is None:
            return call, False
        self._current = Call(self, patience_seconds)
        return self._current, True

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

    def log(self, call: Call, outcome: Outcome) -> None:
        """Log the *outcome* of *call*."""
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
