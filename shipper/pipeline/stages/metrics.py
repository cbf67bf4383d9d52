"""``metrics``: count, gauge and measure what lines say (promtail stages/metrics.go)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any, ClassVar, Final, cast

from exporters.toolkit.duration import parse_go_duration
from exporters.toolkit.gotext import parse_float
from shipper.loki.quiet import Quiet
from shipper.metrics import DURATION_BUCKETS
from shipper.pipeline.custom_config import MetricConfig
from shipper.pipeline.custom_metrics import CustomMetrics, Kind
from shipper.pipeline.custom_series import Counter, Gauge, Histogram
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.text import to_bytes
from shipper.pipeline.values import text_of


log = logging.getLogger(__name__)

Change = Callable[[Any, float], bool]
"""Changes a series by a number; False: that cannot be."""

_PREFIX: Final = "promtail_custom_"
_CHANGES: Final[Mapping[tuple[str, str], Change]] = {
    ("counter", "inc"): lambda series, _: series.add(1.0),
    ("counter", "add"): Counter.add,
    ("gauge", "set"): Gauge.set,
    ("gauge", "inc"): lambda series, _: series.add(1.0),
    ("gauge", "dec"): lambda series, _: series.add(-1.0),
    ("gauge", "add"): Gauge.add,
    ("gauge", "sub"): lambda series, number: series.add(-number),
    ("histogram", ""): Histogram.observe,
}
_NUMBERLESS: Final = frozenset({"inc", "dec"})
_MISSING: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The metrics by name, without their prefix."""

    metrics: Mapping[str, MetricConfig] = field(default_factory=dict)

    INLINE: ClassVar[str] = "metrics"

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _Metrics(self.metrics, workshop)


class _Metrics(Filter):
    """Shows each line to every metric; changes nothing of it."""

    def __init__(self, configs: Mapping[str, MetricConfig], workshop: Workshop) -> None:
        self._metrics = [_Metric(*item, workshop) for item in configs.items()]
        workshop.meters.register(CustomMetrics([m.vector for m in self._metrics]))

    def apply(self, record: Record) -> bool:
        for metric in self._metrics:
            metric.look_at(record)
        return True


class _Metric:
    """Knows when and how one metric changes."""

    def __init__(self, name: str, config: MetricConfig, workshop: Workshop) -> None:
        full_name = f"{config.prefix or _PREFIX}{name}"
        kind, action = cast(Kind, config.kind), config.action
        self.vector = workshop.meters.custom.vector(
            full_name, kind, config.description, workshop.monotonic
        )
        self._source = name if config.source is None else config.source
        self._idle_seconds = config.idle_seconds
        self._update = config.config
        self._matches_all = kind == "counter" and config.config.match_all
        self._change = _CHANGES[kind, "" if kind == "histogram" else action]
        self._needs_number = kind == "histogram" or action not in _NUMBERLESS
        self._make = _maker(config)
        self._quiet = Quiet(workshop.monotonic)

    def look_at(self, record: Record) -> None:
        """Change the series of *record*'s labels, if it says so."""
        value = self._find(record)
        if value is _MISSING:
            return
        wanted = self._update.value
        if wanted is not None and text_of(value) != wanted:
            return
        number = number_of(value) if self._needs_number else 0.0
        if number is None:
            return
        series = self.vector.series(record.labels, self._make, self._idle_seconds)
        if not self._change(series, number):
            self._complain(number)

    def _find(self, record: Record) -> Any:
        if not self._matches_all:
            return record.extracted.get(self._source, _MISSING)
        if self._update.count_entry_bytes:
            return len(to_bytes(record.line))
        return None

    def _complain(self, number: float) -> None:
        suppressed = self._quiet.may_say("number")
        if suppressed is not None:
            fields = {
                "metric": self.vector.name,
                "value": number,
                "suppressed": suppressed,
            }
            text = f"a {self.vector.kind} cannot be changed by this value: ignored"
            log.warning(text, extra={"fields": fields})


def _maker(config: MetricConfig) -> Callable[[], Any]:
    if config.kind == "histogram":
        return partial(Histogram, config.bounds or DURATION_BUCKETS)
    return Counter if config.kind == "counter" else Gauge


def number_of(value: Any) -> float | None:
    """Return *value* as a number (upstream getFloat), None when it is none.

    A duration is one of seconds: ``0.5ms`` is 0.0005.
    """
    match value:
        case bool() | float():
            return float(value)
        case int():
            return float(value) if abs(value) < 1 << 1000 else inf
        case str():
            return _number_in(value)
    return None


def _number_in(text: str) -> float | None:
    for parse in (parse_float, parse_go_duration):
        try:
            return parse(text)
        except ValueError:
            continue
    return None
