"""``metrics``: count, gauge and measure what lines say (promtail stages/metrics.go)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Final, cast

from exporters.toolkit.decode import Problem
from exporters.toolkit.duration import parse_nanoseconds
from exporters.toolkit.gotext import parse_float
from shipper.loki.quiet import Quiet
from shipper.metrics import DURATION_BUCKETS
from shipper.pipeline.custom_metrics import CustomMetrics, Kind, shared_vector
from shipper.pipeline.custom_series import Counter, Gauge, Histogram
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.text import to_bytes
from shipper.pipeline.values import text_of


log = logging.getLogger(__name__)

DEFAULT_PREFIX: Final = "promtail_custom_"
DEFAULT_IDLE_SECONDS: Final = 300
# The work of each action, with a series and a number; actions without need no number.
_COUNTER: Final[Mapping[str, Any]] = {
    "inc": lambda counter, _: counter.add(1.0),
    "add": Counter.add,
}
_GAUGE: Final[Mapping[str, Any]] = {
    "set": Gauge.set,
    "inc": lambda gauge, _: gauge.add(1.0),
    "dec": lambda gauge, _: gauge.add(-1.0),
    "add": Gauge.add,
    "sub": lambda gauge, number: gauge.add(-number),
}
_NUMBERLESS: Final = frozenset({"inc", "dec"})


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

    @property
    def kind(self) -> str:
        """Return the type as it is meant."""
        return self.type.lower()

    @property
    def action(self) -> str:
        """Return the action as it is meant."""
        return self.config.action.lower()

    def problems(self) -> Iterator[Problem]:
        checks = {"counter": _counter, "gauge": _gauge, "histogram": _histogram}
        check = checks.get(self.kind)
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
            text = f"max_idle_duration could not be parsed as a time.Duration: '{error}'"
            yield Problem(text, ("max_idle_duration",))

    @property
    def idle_seconds(self) -> int:
        """Return after how long without a change a series goes. Raises ValueError."""
        if self.max_idle_duration is None:
            return DEFAULT_IDLE_SECONDS
        return parse_nanoseconds(self.max_idle_duration) // 10**9


def _counter(metric: MetricConfig) -> Iterator[Problem]:
    update, place = metric.config, ("config",)
    if not update.action:
        text = "counter action must be defined as either `inc` or `add`"
        yield Problem(text, place)
    elif metric.action not in _COUNTER:
        text = f"action {metric.action} is not valid, action must be either "
        yield Problem(f"{text}`inc` or `add`", ("config", "action"))
    if update.match_all and update.value is not None:
        text = "`match_all: true` cannot be combined with `value`, "
        yield Problem(f"{text}please remove `match_all` or `value`", place)
    if update.count_entry_bytes and not update.match_all:
        text = "`count_entry_bytes: true` can only be set with `match_all: true`"
        yield Problem(text, place)
    if update.count_entry_bytes and metric.action == "inc":
        text = "`count_entry_bytes: true` can only be used with `action: add`"
        yield Problem(text, place)


def _gauge(metric: MetricConfig) -> Iterator[Problem]:
    actions = "`set`, `inc`, `dec`, `add`, or `sub`"
    if not metric.action:
        yield Problem(f"gauge action must be defined as {actions}", ("config",))
    elif metric.action not in _GAUGE:
        text = f"action {metric.action} is not valid, action must be {actions}"
        yield Problem(text, ("config", "action"))


def _histogram(metric: MetricConfig) -> Iterator[Problem]:
    bounds = metric.config.buckets
    if not all(a < b for a, b in zip(bounds, (*bounds[1:], float("inf")), strict=True)):
        if bounds[-1] == float("inf") and _grows(bounds[:-1]):
            return
        text = "histogram buckets must be in increasing order"
        yield Problem(text, ("config", "buckets"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The metrics by name, without their prefix."""

    metrics: Mapping[str, MetricConfig] = field(default_factory=dict)

    INLINE: ClassVar[str] = "metrics"

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _Metrics(self, workshop)
