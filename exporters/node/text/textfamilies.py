"""Turn families read from text into metrics (node_exporter convertMetricFamily)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from exporters.node.text import textformat
from exporters.toolkit.metric import Metric, Sample


def convert(family: textformat.Family) -> Metric:
    """Return *family* as a metric.

    Labels that only some of its points have are "" for the others. Duplicates, and
    clashes with other families, are the encoder's business: it sees them all.
    """
    kind = family.kind or "untyped"
    metric = Metric(family.name, family.help or "", kind)
    missing = dict.fromkeys((n for p in family.points for n, _ in p.labels), "")
    for point in family.points:
        labels = {**missing, **dict(point.labels)}
        for sample in _samples(family.name, kind, labels, point):
            metric.add_sample(*sample)
    return metric


def _samples(
    name: str, kind: str, labels: dict[str, str], point: textformat.Point
) -> Iterator[Sample]:
    if kind == "summary":
        for quantile, value in sorted(point.parts.items()):
            yield Sample(name, {**labels, "quantile": repr(quantile)}, value)
    elif kind == "histogram":
        # The bucket that holds everything may be left out of the file.
        buckets = {math.inf: point.count, **point.parts}
        for bound, value in sorted(buckets.items()):
            yield Sample(f"{name}_bucket", {**labels, "le": repr(bound)}, value)
    else:
        yield Sample(name, labels, point.value)
        return
    yield Sample(f"{name}_sum", labels, point.total)
    yield Sample(f"{name}_count", labels, point.count)
