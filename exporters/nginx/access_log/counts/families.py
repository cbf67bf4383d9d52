"""Metric families out of what was counted.

Names and types: prometheus-nginxlog-exporter ``pkg/metrics/collection_init.go``. Like
client_golang, a label set is in a family from its first value on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from exporters.nginx.access_log.counts.measures import Measure
from exporters.nginx.access_log.counts.meters import Meter, Size, Timing
from exporters.toolkit.errors import StartError
from exporters.toolkit.gotext import format_float
from exporters.toolkit.metric import Metric


LabelSet = dict[str, str]

_PREFIX: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*", re.ASCII)


def checked_prefix(prefix: str) -> str:
    """Return what the names begin with; StartError for no part of a metric's name."""
    if prefix and _PREFIX.fullmatch(prefix) is None:
        raise StartError(
            f"access log: {prefix!r} cannot begin the name of a metric, expected "
            "letters, digits, _ and :, not beginning with a digit"
        )
    return f"{prefix}_" if prefix else ""


def counter(name: str, help_: str, rows: Iterable[tuple[LabelSet, float]]) -> Metric:
    """Return the counter *name*, with ``_total`` only if it is spelled so."""
    family = Metric(name, help_, "counter")
    for labels, value in rows:
        family.add_sample(name, labels, value)
    return family


def measured(
    measure: Measure,
    prefix: str,
    bounds: Sequence[float],
    rows: Sequence[tuple[LabelSet, Meter]],
) -> Iterator[Metric]:
    """Yield the families of *measure*; *prefix* and *bounds* as in Settings."""
    name = prefix + measure.name
    if measure.kind == "size":
        sizes = (
            (labels, each.total) for labels, each in rows if isinstance(each, Size)
        )
        yield counter(name, measure.help, sizes)
        return
    timings = [(labels, each) for labels, each in rows if isinstance(each, Timing)]
    if measure.kind == "time":
        yield _summary(Metric(name, measure.help, "summary"), timings)
    yield _histogram(Metric(f"{name}_hist", measure.help, "histogram"), bounds, timings)


def _summary(family: Metric, rows: Iterable[tuple[LabelSet, Timing]]) -> Metric:
    for labels, timing in rows:
        for quantile, seconds in timing.quantiles():
            family.add_sample(
                family.name, {**labels, "quantile": str(quantile)}, seconds
            )
        family.add_sample(f"{family.name}_sum", labels, timing.sum)
        family.add_sample(f"{family.name}_count", labels, timing.cumulative()[-1])
    return family


def _histogram(
    family: Metric, bounds: Iterable[float], rows: Iterable[tuple[LabelSet, Timing]]
) -> Metric:
    texts = [*map(format_float, bounds), "+Inf"]
    name = f"{family.name}_bucket"
    for labels, timing in rows:
        counts = timing.cumulative()
        for text, count in zip(texts, counts, strict=True):
            family.add_sample(name, {**labels, "le": text}, count)
        family.add_sample(f"{family.name}_sum", labels, timing.sum)
        family.add_sample(f"{family.name}_count", labels, counts[-1])
    return family
