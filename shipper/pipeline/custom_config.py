"""The keys of a user's metric (promtail clients/pkg/logentry/metric)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Final

from exporters.toolkit.decode import Problem
from exporters.toolkit.duration import parse_nanoseconds


DEFAULT_IDLE_SECONDS: Final = 300
COUNTER_ACTIONS: Final = ("inc", "add")
GAUGE_ACTIONS: Final = ("set", "inc", "dec", "add", "sub")


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """When and how a metric changes; keys that its type does not know do nothing."""

    match_all: bool = False
    count_entry_bytes: bool = False
    value: str | None = None
    action: str = ""
    buckets: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricConfig:
    """One metric; *source* is its own name if none is given."""

    type: str = ""
    description: str = ""
    source: str | None = None
    prefix: str = ""
    max_idle_duration: str | None = None
    config: Update = field(default_factory=Update)

    def problems(self) -> Iterator[Problem]:
        check = _CHECKS.get(self.kind)
        if check is None:
            text = f"invalid metric type '{self.kind}', metric type must be one of "
            yield Problem(f"{text}'counter', 'gauge', or 'histogram'", ("type",))
        else:
            yield from check(self)
        try:
            if self.idle_seconds < 1:
                text = "max_idle_duration less than 1s not allowed"
                yield Problem(text, ("max_idle_duration",))
        except ValueError as error:
            text = (
                f"max_idle_duration could not be parsed as a time.Duration: '{error}'"
            )
            yield Problem(text, ("max_idle_duration",))

    @property
    def kind(self) -> str:
        """Return the type, which may be written in capitals."""
        return self.type.lower()

    @property
    def action(self) -> str:
        """Return the action, which may be written in capitals."""
        return self.config.action.lower()

    @property
    def idle_seconds(self) -> int:
        """Return after how long without a change a series goes. Raises ValueError."""
        if self.max_idle_duration is None:
            return DEFAULT_IDLE_SECONDS
        return parse_nanoseconds(self.max_idle_duration) // 10**9

    @property
    def bounds(self) -> tuple[float, ...]:
        """Return the buckets without the last one, infinity, which always is there."""
        buckets = self.config.buckets
        return buckets[:-1] if buckets and buckets[-1] == inf else buckets


def _counter(metric: MetricConfig) -> Iterator[Problem]:
    update = metric.config
    if not metric.action:
        yield _wrong("counter action must be defined as either `inc` or `add`")
    elif metric.action not in COUNTER_ACTIONS:
        text = f"action {metric.action} is not valid, action must be either "
        yield _wrong(f"{text}`inc` or `add`", "action")
    if update.match_all and update.value is not None:
        text = "`match_all: true` cannot be combined with `value`, "
        yield _wrong(f"{text}please remove `match_all` or `value`")
    if update.count_entry_bytes and not update.match_all:
        text = "`count_entry_bytes: true` can only be set with `match_all: true`"
        yield _wrong(text, "count_entry_bytes")
    elif update.count_entry_bytes and metric.action == "inc":
        text = "`count_entry_bytes: true` can only be used with `action: add`"
        yield _wrong(text, "count_entry_bytes")


def _gauge(metric: MetricConfig) -> Iterator[Problem]:
    actions = "`set`, `inc`, `dec`, `add`, or `sub`"
    if not metric.action:
        yield _wrong(f"gauge action must be defined as {actions}")
    elif metric.action not in GAUGE_ACTIONS:
        text = f"action {metric.action} is not valid, action must be {actions}"
        yield _wrong(text, "action")


def _histogram(metric: MetricConfig) -> Iterator[Problem]:
    if not all(lower < upper for lower, upper in pairwise((*metric.bounds, inf))):
        text = "histogram buckets must be in increasing order"  # promtail: a panic
        yield _wrong(text, "buckets")


def _wrong(text: str, *path: str) -> Problem:
    return Problem(text, ("config", *path))


_CHECKS: Final[Mapping[str, Callable[[MetricConfig], Iterator[Problem]]]] = {
    "counter": _counter,
    "gauge": _gauge,
    "histogram": _histogram,
}
