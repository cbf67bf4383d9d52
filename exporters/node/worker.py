"""Run one collector in a thread of its own, so that a hung one costs only itself.

Upstream has no such thing: there a dead NFS mount stalls the whole scrape
(node_exporter#244, #868, #3058). No thread can be stopped from outside while it
sits in a system call, so a collector that hangs keeps its thread, is not called
again before it returns, and is reported as failed meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from prometheus_client import Metric

from exporters.node.registry import Collect, NoData


log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What one call of a collector gave.

    *metrics* are those yielded before *error*, if there was one: upstream, too,
    keeps what a collector sent before it failed.
    """

    metrics: tuple[Metric, ...]
    seconds: float
    error: BaseException | None


class Call:
    """One call of a collector that is under way; any number of scrapes may wait."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin now; the outcome is for waiters in *loop*."""
        self.loop = loop
        self.outcome: asyncio.Future[Outcome] = loop.create_future()
        self.began = time.monotonic()
        self.overdue = False

    @property
    def elapsed_seconds(self) -> float:
        """Return how long the call has taken up to now."""
        return time.monotonic() - self.began


class Worker:
    """The thread of one collector. Every method is for the event loop's thread.

    The thread is started by the first call and is a daemon: one that hangs does
    not keep the process from ending.
    """

    def __init__(self, name: str, collect: Collect) -> None:
        """Run *collect*, which is called *name* in logs and metrics."""
        self._name = name
        self._collect = collect
        # At most one call is under way, so at most one entry is ever inside.
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._current: Call | None = None

    def call(self) -> Call:
        """Return the call under way, or begin one."""
        if self._current is not None:
            return self._current
        call = Call(asyncio.get_running_loop())
        try:
            self._ensure_thread()
        except RuntimeError as error:  # the host has no thread left for us
            self._finish(call, Outcome((), 0.0, error))
            return call
        self._current = call
        self._calls.put(call)
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

    def close(self) -> None:
        """End the thread as soon as it is idle."""
        self._calls.put(None)

    def _ensure_thread(self) -> None:
        if self._thread is None:
            name = f"collector-{self._name}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            thread.start()
            self._thread = thread

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            outcome = _run(self._collect)
            try:
                call.loop.call_soon_threadsafe(self._finish, call, outcome)
            except RuntimeError:  # the loop is closed: the program is ending
                return

    def _finish(self, call: Call, outcome: Outcome) -> None:
        self._current = None
        call.outcome.set_result(outcome)
        fields = {"name": self._name, "duration_seconds": outcome.seconds}
        if outcome.error is None:
            if call.overdue:
                log.warning("collector finished late", extra={"fields": fields})
            else:
                log.debug("collector succeeded", extra={"fields": fields})
            return
        fields["err"] = _reason(outcome.error)
        if isinstance(outcome.error, NoData):
            log.debug("collector returned no data", extra={"fields": fields})
        else:
            log.error("collector failed", extra={"fields": fields})


def _run(collect: Collect) -> Outcome:
    """Call *collect*; whatever it raises is part of the outcome."""
    metrics: list[Metric] = []
    error: BaseException | None = None
    began = time.perf_counter()
    try:
        metrics.extend(_checked(collect()))
    except BaseException as raised:  # noqa: BLE001 - it may raise anything at all
        error = raised
    return Outcome(tuple(metrics), time.perf_counter() - began, error)


def _checked(metrics: Iterable[Metric]) -> Iterator[Metric]:
    """Yield *metrics*; raise for one that could not be printed."""
    for metric in metrics:
        for sample in metric.samples:
            float(sample.value)
            for value in sample.labels.values():
                value.encode()
        yield metric


def _reason(error: BaseException) -> str:
    return (
        str(error) if isinstance(error, (OSError, ValueError, NoData)) else repr(error)
    )
