"""Answer a scrape: every wanted collector under one deadline.

Scrapes that overlap share calls: a collector that is already running is waited
for, not started twice. Its state needs no locks so, a hung one never holds two
threads, and two Prometheus servers cost little more than one. What a shared
call returns was read at most the duration of that call before the second
scrape came in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from exporters.node.calls import Call, Caller, Outcome
from exporters.node.crew import Crew
from exporters.node.making import Making
from exporters.node.registry import Registry
from exporters.toolkit.metric import GaugeMetricFamily, Metric
from exporters.toolkit.web import Scrape


T = TypeVar("T")

# Prometheus' own default for scrape_timeout: who does not say how long he waits
# is taken to wait that long.
DEFAULT_TIMEOUT_SECONDS = 10.0
# A request that claims to wait for hours must not pile up.
LONGEST_TIMEOUT_SECONDS = 120.0
# For encoding and the network; the margin that blackbox_exporter takes by default.
MARGIN_SECONDS = 0.5


def patience_seconds(timeout_seconds: float | None) -> float:
    """Return how long collectors may take if the scraper waits *timeout_seconds*.

    The margin is half of a timeout shorter than a second. What is not a
    positive number counts as not given.
    """
    timeout = timeout_seconds or DEFAULT_TIMEOUT_SECONDS
    if not math.isfinite(timeout) or timeout <= 0:
        timeout = DEFAULT_TIMEOUT_SECONDS
    timeout = min(timeout, LONGEST_TIMEOUT_SECONDS)
    return timeout - min(MARGIN_SECONDS, timeout / 2)


class Scraper:
    """Runs the collectors of a registry; :meth:`gather` is the toolkit's Gather."""

    def __init__(self, registry: Registry) -> None:
        """Serve scrapes from *registry*."""
        self._registry = registry
        self._crew = Crew()
        self._callers: Mapping[str, Caller] = {
            name: Caller(name, collect) for name, collect in registry.enabled.items()
        }

    async def gather(self, scrape: Scrape) -> Iterable[Metric]:
        """Return the metrics of the collectors that *scrape* asks for.

        Raises ScrapeRefused for a bad ``collect[]``. No collector's failure is
        raised: it shows in ``node_scrape_collector_success``.
        """
        return await self.through(scrape, list)

    async def through(self, scrape: Scrape, make: Callable[[list[Metric]], T]) -> T:
        """Return what *make* makes of the metrics that :meth:`gather` gives.

        *make* is called in the thread that has collected them, or in the loop's; what
        it raises is raised here.
        """
        names = self._registry.select(scrape.query)
        self._registry.begin_scrape()
        patience = patience_seconds(scrape.timeout_seconds)
        return await self._made(names, patience, lambda found: make(_metrics(found)))

    async def outcomes(
        self, names: Iterable[str], patience: float
    ) -> Mapping[str, Outcome]:
        """Call the collectors *names* and return what each gave within *patience*."""
        return await self._made(names, patience, dict)

    async def _made(
        self,
        names: Iterable[str],
        patience: float,
        make: Callable[[Mapping[str, Outcome]], T],
    ) -> T:
        both = {name: self._callers[name].call(patience) for name in names}
        # Who comes while a call hangs does not wait for it, and does not get
        # what it read long ago either, should it return just now.
        calls = {name: call for name, (call, _) in both.items()}
        awaited = {name: call for name, call in calls.items() if not call.overdue}
        making = Making(awaited.values(), lambda: make(self._answers(calls, awaited)))
        self._submit([call for call, is_new in both.values() if is_new], making)
        try:
            await self._crew.wait(making.is_over, patience)
        finally:
            making.leave()
        return making.result()

    def _submit(self, calls: list[Call], making: Making[T]) -> None:
        try:
            self._crew.submit(*calls, making)
        except RuntimeError as error:  # the host has no thread left for us
            making.leave()
            for call in calls:
                call.end(Outcome((), 0.0, error))

    def _answers(
        self, calls: Mapping[str, Call], awaited: Mapping[str, Call]
    ) -> dict[str, Outcome]:
        return {
            name: self._answer(name, call, name in awaited)
            for name, call in calls.items()
        }

    def _answer(self, name: str, call: Call, awaited: bool) -> Outcome:
        if awaited and call.outcome is not None:
            return call.outcome
        self._callers[name].give_up(call)
        return Outcome((), call.elapsed_seconds, TimeoutError())

    def close(self) -> None:
        """End the threads that do not hang."""
        self._crew.close()


def _metrics(outcomes: Mapping[str, Outcome]) -> list[Metric]:
    metrics: list[Metric] = []
    durations = GaugeMetricFamily(
        "node_scrape_collector_duration_seconds",
        "node_exporter: Duration of a collector scrape.",
        labels=["collector"],
    )
    successes = GaugeMetricFamily(
        "node_scrape_collector_success",
        "node_exporter: Whether a collector succeeded.",
        labels=["collector"],
    )
    # Ours. Upstream tells "there is nothing here" from "it failed" only in its log.
    failures = GaugeMetricFamily(
        "node_scrape_collector_failure",
        "node_exporter: Why a collector did not succeed; absent for one that did.",
        labels=["collector", "reason"],
    )
    for name, outcome in outcomes.items():
        metrics.extend(outcome.metrics)
        durations.add_metric([name], outcome.seconds)
        successes.add_metric([name], float(outcome.error is None))
        if outcome.failure is not None:
            failures.add_metric([name, outcome.failure], 1)
    return [*metrics, durations, failures, successes]
