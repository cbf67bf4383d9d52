"""Turn families read from text into metrics that can be exported.

Counterpart of node_exporter's convertMetricFamily and of the checks with which
client_golang's registry keeps one exposition consistent: what does not fit is dropped
and logged, and the rest is exported.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.samples import Sample

from exporters.node.textformat import Family, Point


log = logging.getLogger(__name__)

Key = tuple[tuple[str, str], ...]

# Names that a summary or histogram takes beside its own (registry.go).
_TAKEN_SUFFIXES = {
    "summary": ("_count", "_sum"),
    "histogram": ("_count", "_sum", "_bucket"),
}


@dataclass(slots=True)
class _Merged:
    metric: Metric
    kind: str
    seen: set[Key] = field(default_factory=set)


def build(families: Iterable[Family]) -> Iterable[Metric]:
    """Return one metric per name; of samples that contradict each other the first.

    Labels that only some points of a family have are "" for its others.
    """
    merged: dict[str, _Merged] = {}
    taken: dict[str, str] = {}
    for family in families:
        kind = family.kind or "untyped"
        reason = _clash(family.name, kind, merged, taken)
        if reason is not None:
            _log_dropped(family.name, reason)
            continue
        if family.name not in merged:
            metric = Metric(family.name, family.help or "", kind)
            merged[family.name] = _Merged(metric, kind)
            for suffix in _TAKEN_SUFFIXES.get(kind, ()):
                taken[family.name + suffix] = family.name
        _add(merged[family.name], family)
    return [entry.metric for entry in merged.values() if entry.metric.samples]


def _clash(
    name: str, kind: str, merged: Mapping[str, _Merged], taken: Mapping[str, str]
) -> str | None:
    """Return why a family cannot be exported beside those that are, if it cannot."""
    if name in merged:
        known = merged[name].kind
        return None if known == kind else f"should be a {known}, is a {kind}"
    if name in taken:
        return f"collides with previously collected {taken[name]}"
    for suffix in _TAKEN_SUFFIXES.get(kind, ()):
        if name + suffix in merged:
            return f"collides with previously collected {name}{suffix}"
    return None


def _add(entry: _Merged, family: Family) -> None:
    names = {name for point in family.points for name, _ in point.labels}
    for point in family.points:
        labels = {**dict.fromkeys(names, ""), **dict(point.labels)}
        key = tuple(sorted(labels.items()))
        if key in entry.seen:
            _log_dropped(
                family.name,
                "was collected before with the same name and label values",
                labels=labels,
            )
            continue
        entry.seen.add(key)
        entry.metric.samples.extend(_samples(family.name, entry.kind, labels, point))


def _samples(
    name: str, kind: str, labels: dict[str, str], point: Point
) -> Iterator[Sample]:
    if kind == "summary":
        for quantile, value in sorted(point.parts.items()):
            yield Sample(name, {**labels, "quantile": _bound(quantile)}, value)
    elif kind == "histogram":
        buckets = {**point.parts}
        buckets.setdefault(math.inf, point.count)
        for bound, value in sorted(buckets.items()):
            yield Sample(f"{name}_bucket", {**labels, "le": _bound(bound)}, value)
    else:
        yield Sample(name, labels, point.value)
        return
    yield Sample(f"{name}_sum", labels, point.total)
    yield Sample(f"{name}_count", labels, point.count)


def _bound(value: float) -> str:
    """Return a quantile or bucket bound as Go prints it."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)


def _log_dropped(name: str, reason: str, **fields: object) -> None:
    log.error(
        "error gathering metrics: collected metric was dropped",
        extra={"fields": {"metric": name, "err": reason, **fields}},
    )
