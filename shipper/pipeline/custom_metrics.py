"""The user's own metrics, by name and labels (promtail clients/pkg/logentry/metric).

Labels come out of log lines, so their number has a bound: with `MAX_SERIES` in a
metric, lines with further labels are counted together, as ``{overflow="true"}``, and
told by ``shipper_custom_metrics_folded_lines_total``. Series that nothing happened to
for their idle time go after the next scrape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import inf
from typing import Any, Final, Generic, Literal, TypeVar
from weakref import WeakValueDictionary

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from exporters.toolkit.exposition import legal_name
from shipper.relabel import is_label_name

from .custom_series import Series
from .entry import Labels
from .labelset import LabelSet, Memo


MAX_SERIES: Final = 10_000
PRUNE_SECONDS: Final = 1.0
_OVERFLOW: Final[Labels] = (("overflow", "true"),)
_FOLDED: Final = "shipper_custom_metrics_folded_lines_total"
_FOLDED_HELP: Final = (
    "Lines counted under overflow because a custom metric had too many label sets."
)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")

Kind = Literal["counter", "gauge", "histogram"]
S = TypeVar("S", bound=Series)


class _Cell(Generic[S]):
    __slots__ = ("expires_at", "series")

    def __init__(self, series: S) -> None:
        self.series = series
        self.expires_at = inf


class Vector(Generic[S]):
    """One metric: a series for each set of labels. *clock* is monotonic."""

    def __init__(
        self, name: str, kind: Kind, text: str, clock: Callable[[], float]
    ) -> None:
        self.name = name
        self.kind = kind
        self.help = text
        self.folded = 0
        self._clock = clock
        self._cells: dict[Labels, _Cell[S]] = {}
        self._keys: Memo[LabelSet, Labels] = Memo()
        self._pruned_at = -inf
        self._shown_by: set[int] = set()

    def series(self, labels: LabelSet, make: Callable[[], S], idle_seconds: float) -> S:
        """Return what counts lines with *labels*, made by *make* if there is none."""
        key = self._keys.get(labels)
        if key is None:
            key = _clean(labels.pairs, self.kind == "histogram")
            self._keys.remember(labels, key, labels.size)
        now = self._clock()
        cell = self._cells.get(key)
        if cell is None:
            cell = self._add(key, make, now)
        cell.expires_at = now + idle_seconds
        return cell.series

    def family(self) -> Metric:
        """Return all series, and let go of those that were idle for too long."""
        metric = Metric(self.name, self.help, self.kind)
        for labels, cell in self._cells.items():
            metric.samples += cell.series.samples(self.name, dict(labels))
        self._prune(self._clock())
        return metric

    def is_due(self, viewer: int) -> bool:
        """Say whether *viewer* is the first to show this in a scrape.

        Stages that share a metric each show it for as long as they live. When one
        comes again, the next scrape has begun.
        """
        if self._shown_by and viewer not in self._shown_by:
            self._shown_by.add(viewer)
            return False
        self._shown_by = {viewer}
        return True

    def has_new_viewer(self) -> None:
        """Begin a scrape anew: who showed this before may be gone."""
        self._shown_by.clear()

    def _add(self, key: Labels, make: Callable[[], S], now: float) -> _Cell[S]:
        if len(self._cells) >= MAX_SERIES and now - self._pruned_at >= PRUNE_SECONDS:
            self._prune(now)
        if len(self._cells) >= MAX_SERIES:
            self.folded += 1
            key = _OVERFLOW
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = _Cell(make())
        return cell

    def _prune(self, now: float) -> None:
        self._pruned_at = now
        self._cells = {k: c for k, c in self._cells.items() if c.expires_at > now}


class CustomMetrics(Collector):
    """Shows the metrics of one stage."""

    def __init__(self, vectors: list[Vector[Any]]) -> None:
        self._vectors = vectors

    def collect(self) -> Iterator[Metric]:
        """Yield each metric, and how many lines were folded if any were."""
        for vector in self._vectors:
            if not vector.is_due(id(self)):
                continue
            yield vector.family()
            if vector.folded:
                folded = Metric(_FOLDED, _FOLDED_HELP, "counter")
                folded.add_sample(_FOLDED, {"metric": vector.name}, vector.folded)
                yield folded


class Book:
    """The metrics on one /metrics page by name, whichever stages count in them.

    promtail answers every scrape 500 when two stages count the same name and labels.
    The stages hold what they use: with the last one of a metric it leaves the book.
    """

    def __init__(self) -> None:
        self._vectors: WeakValueDictionary[str, Vector[Any]] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._vectors)

    def vector(
        self, name: str, kind: Kind, text: str, clock: Callable[[], float]
    ) -> Vector[Any]:
        """Return the metric *name*, new if there is none of this *kind*.

        Of two kinds under one name each is a metric, and the first one is shown.
        """
        name = legal_name(name)
        vector = self._vectors.get(name)
        if vector is None or vector.kind != kind:
            vector = self._vectors[name] = Vector(name, kind, text, clock)
        vector.has_new_viewer()
        return vector


def _clean(pairs: Labels, has_buckets: bool) -> Labels:
    """Return the labels that can be shown: ``__`` names and bytes that are no UTF-8
    cannot, and ``le`` tells the buckets of a histogram.
    """
    labels: dict[str, str] = {}
    for name, value in pairs:
        if not is_label_name(name) or name.startswith("__"):
            continue
        shown = "exported_le" if name == "le" and has_buckets else name
        labels[shown] = value if value.isascii() else _SURROGATES.sub("\ufffd", value)
    return tuple(sorted(labels.items()))
