"""Metric expressions evaluated at every step (pkg/logql/evaluator.go, 3.4)."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from shipper.logql import (
    BinaryOperation,
    Expr,
    Literal,
    RangeAggregation,
    VectorAggregation,
)
from shipper.logql.ast import ARITHMETIC, COMPARISONS
from shipper.pipeline.entry import Labels
from shipper.store.query import samples
from shipper.store.query.samples import Series, Steps
from shipper.store.reader import Guard
from shipper.wire.errors import Answer


MAX_POINTS: Final = 2_000_000
"""Values an expression may hold at once: about 200 MiB."""


_Fold = Callable[[float, int, float], tuple[float, int]]


class Evaluator:
    """Evaluate expressions for *tenant* at *steps*, until *guard* ends it."""

    def __init__(
        self, connection: sqlite3.Connection, guard: Guard, tenant: str, steps: Steps
    ) -> None:
        self._connection = connection
        self._guard = guard
        self._tenant = tenant
        self._steps = steps
        self._points = 0

    def series(self, expr: Expr) -> Iterator[Series]:
        """Yield the series of *expr*; a bare number has no labels.

        Raises Answer 400 when too many values would be held or *expr* is no metric,
        504 at the deadline.
        """
        if constant := number_of(expr):
            count = len(self._steps.times())
            yield Series((), dict.fromkeys(range(count), constant[0]))
            return
        match expr:
            case VectorAggregation():
                yield from self._aggregate(expr)
            case BinaryOperation():
                yield from self._binary(expr)
            case RangeAggregation():
                yield from samples.run(
                    self._connection, self._guard, self._tenant, expr, self._steps
                )
            case _:
                raise Answer(400, "parse error : only metric queries can be combined")

    def held(self, expr: Expr) -> Iterator[Series]:
        """Yield the series of *expr*, counting their values as kept in memory."""
        return self._held(self.series(expr))

    def _held(self, found: Iterable[Series]) -> Iterator[Series]:
        """Count what is kept in memory."""
        for series in found:
            self._hold(len(series.values))
            yield series

    def _hold(self, points: int) -> None:
        self._points += points
        if self._points > MAX_POINTS:
            raise Answer(
                400,
                f"the query would hold more than {MAX_POINTS} values; increase the "
                "step, reduce the time range or add more label matchers",
            )

    def _aggregate(self, expr: VectorAggregation) -> Iterator[Series]:
        child = self.series(expr.expr)
        if expr.op in _RANKED:
            yield from _ranked(expr, list(self._held(child)))
            return
        groups: dict[Labels, dict[int, tuple[float, int]]] = {}
        fold = _FOLDS[expr.op]
        for series in child:
            group = groups.setdefault(_group(expr, series.labels), {})
            before = len(group)
            for number, value in series.values.items():
                held = group.get(number)
                group[number] = fold(*held, value) if held else (value, 1)
            self._hold(len(group) - before)
        for labels, group in groups.items():
            values = {n: _finished(expr.op, *held) for n, held in group.items()}
            yield Series(labels, values)

    def _binary(self, expr: BinaryOperation) -> Iterator[Series]:
        if constant := number_of(expr.right):
            compute = replace(expr, right=Literal(constant[0])).compute
            for labels, found in self.series(expr.left):
                values = {n: compute(v, constant[0]) for n, v in found.items()}
                yield from _present(labels, values)
        elif constant := number_of(expr.left):
            compute = replace(expr, left=Literal(constant[0])).compute
            for labels, found in self.series(expr.right):
                values = {n: compute(constant[0], v) for n, v in found.items()}
                yield from _present(labels, values)
        else:
            right = dict(self._held(self.series(expr.right)))
            for labels, found in self.series(expr.left):
                other = right.get(labels, {})
                both = {n: v for n, v in found.items() if n in other}
                values = {n: expr.compute(v, other[n]) for n, v in both.items()}
                yield from _present(labels, values)


def number_of(expr: Expr) -> tuple[float] | None:
    """Return the value of an expression of numbers alone, None for any other."""
    if isinstance(expr, Literal):
        return (expr.value,)
    if not isinstance(expr, BinaryOperation):
        return None
    left, right = number_of(expr.left), number_of(expr.right)
    if left is None or right is None:
        return None
    if expr.is_comparison:  # between two numbers it is 1 or 0
        return (float(COMPARISONS[expr.op](left[0], right[0])),)
    return (ARITHMETIC[expr.op](left[0], right[0]),)


_RANKED: Final = frozenset({"topk", "bottomk"})
_FOLDS: Final[dict[str, _Fold]] = {
    "sum": lambda held, count, value: (held + value, count + 1),
    "avg": lambda held, count, value: (held + value, count + 1),
    "count": lambda held, count, _: (held, count + 1),
    "min": lambda held, count, value: (min(held, value), count + 1),
    "max": lambda held, count, value: (max(held, value), count + 1),
}


def _group(expr: VectorAggregation, labels: Labels) -> Labels:
    return expr.grouping.key(dict(labels)) if expr.grouping else ()


def _finished(op: str, held: float, count: int) -> float:
    if op == "avg":
        return held / count
    return float(count) if op == "count" else held


def _ranked(expr: VectorAggregation, found: list[Series]) -> Iterator[Series]:
    """Yield what topk and bottomk leave of each series, step by step."""
    ranked: dict[tuple[Labels, int], list[tuple[float, int]]] = {}
    for index, series in enumerate(found):
        key = _group(expr, series.labels)
        for number, value in series.values.items():
            ranked.setdefault((key, number), []).append((value, index))
    kept: list[dict[int, float]] = [{} for _ in found]
    pick = heapq.nlargest if expr.op == "topk" else heapq.nsmallest
    for (_, number), values in ranked.items():
        for value, index in pick(expr.parameter or 0, values):
            kept[index][number] = value
    for series, left in zip(found, kept, strict=True):
        if left:
            yield Series(series.labels, left)


def _present(labels: Labels, values: dict[int, float | None]) -> Iterator[Series]:
    left = {number: value for number, value in values.items() if value is not None}
    if left:
        yield Series(labels, left)
