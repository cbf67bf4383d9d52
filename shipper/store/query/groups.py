"""Aggregations over series (pkg/logql/evaluator.go VectorAggEvaluator)."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import Final

from shipper.logql import VectorAggregation
from shipper.pipeline.entry import Labels
from shipper.store.query.steps import Series


RANKED: Final = frozenset({"topk", "bottomk"})


class Group:
    """The values of one group at one step, folded; *first* is the first of them."""

    __slots__ = ("_count", "_held", "_mean", "_op")

    def __init__(self, op: str, first: float) -> None:
        self._op = op
        self._held = 0.0 if op in {"stddev", "stdvar"} else first
        self._mean = first
        self._count = 1

    def add(self, value: float) -> None:
        """Fold *value* in."""
        self._count += 1
        match self._op:
            case "sum":
                self._held += value
            case "avg":
                self._mean += (value - self._mean) / self._count
            case "min":
                if self._held > value or math.isnan(self._held):
                    self._held = value
            case "max":
                if self._held < value or math.isnan(self._held):
                    self._held = value
            case "stddev" | "stdvar":
                delta = value - self._mean
                self._mean += delta / self._count
                self._held += delta * (value - self._mean)

    def value(self) -> float:
        """Return what the values come to."""
        match self._op:
            case "avg":
                return self._mean
            case "count":
                return float(self._count)
            case "stddev":
                return math.sqrt(self._held / self._count)
            case "stdvar":
                return self._held / self._count
        return self._held


def group_of(expr: VectorAggregation, labels: Labels) -> Labels:
    """Return the labels of the group of a series."""
    return expr.grouping.key(dict(labels)) if expr.grouping else ()


def ranked(expr: VectorAggregation, found: list[Series]) -> Iterator[Series]:
    """Yield what topk and bottomk leave of each series, step by step."""
    by_group: dict[tuple[Labels, int], list[tuple[float, int]]] = {}
    for index, series in enumerate(found):
        key = group_of(expr, series.labels)
        for number, value in series.values.items():
            by_group.setdefault((key, number), []).append((value, index))
    kept: list[dict[int, float]] = [{} for _ in found]
    pick = heapq.nlargest if expr.op == "topk" else heapq.nsmallest
    for (_, number), values in by_group.items():
        for value, index in pick(expr.parameter or 0, values):
            kept[index][number] = value
    for series, left in zip(found, kept, strict=True):
        if left:
            yield Series(series.labels, left)
