"""Metric expressions evaluated at every step (pkg/logql/evaluator.go, 3.4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from shipper.logql import (
    BinaryOperation,
    Expr,
    Grouping,
    LabelReplace,
    Literal,
    RangeAggregation,
    Vector,
    VectorAggregation,
    number_of,
)
from shipper.logql.extract import pushed_down
from shipper.logql.line import as_labels
from shipper.pipeline.entry import Labels
from shipper.store.query import samples
from shipper.store.query.groups import RANKED, Group, group_of, ranked
from shipper.store.query.matching import combined, present
from shipper.store.query.parsed import ParsedRange
from shipper.store.query.plan import is_simple
from shipper.store.query.steps import Series, Steps
from shipper.store.reader import Guard
from shipper.wire.errors import Answer
from shipper.wire.model import MAX_NS, MIN_NS


MAX_POINTS: Final = 2_000_000
"""Values an expression may hold at once: about 200 MiB."""


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
        constant = number_of(expr)
        if constant is not None:
            yield self._constant(constant)
            return
        match expr:
            case VectorAggregation():
                yield from self._aggregate(expr)
            case BinaryOperation():
                yield from self._binary(expr)
            case Vector():
                yield self._constant(expr.value)
            case LabelReplace():
                for labels, values in self.series(expr.expr):
                    yield Series(as_labels(expr.replaced(dict(labels)).items()), values)
            case RangeAggregation():
                yield from self._range(expr)
            case _:
                raise Answer(400, "parse error : only metric queries can be combined")

    def _constant(self, value: float) -> Series:
        count = len(self._steps.times())
        return Series((), dict.fromkeys(range(count), value))

    def _range(
        self, expr: RangeAggregation, outer: Grouping | None = None
    ) -> Iterator[Series]:
        """Yield the series of *expr*, in the groups of a sum around if it can."""
        self._check_reach(expr)
        where = self._connection, self._guard, self._tenant
        if is_simple(expr):
            return samples.run(*where, expr, self._steps)
        return ParsedRange(*where, self._steps).run(expr, outer)

    def _check_reach(self, expr: RangeAggregation) -> None:
        """Raise Answer 400 for times that 64 bits of nanoseconds do not hold."""
        first = self._steps.start - expr.offset_ns - expr.range_ns
        last = self._steps.times()[-1] - expr.offset_ns
        if first < MIN_NS or last > MAX_NS or last - first > MAX_NS:
            raise Answer(400, "the query reaches beyond the years 1677 to 2262")

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

    def _child(self, expr: VectorAggregation) -> Iterator[Series]:
        inner = expr.expr
        if expr.op == "sum" and isinstance(inner, RangeAggregation):
            grouping = expr.grouping or Grouping(())
            return self._range(inner, grouping if pushed_down(inner) else None)
        return self.series(inner)

    def _aggregate(self, expr: VectorAggregation) -> Iterator[Series]:
        child = self._child(expr)
        if expr.op in RANKED:
            yield from ranked(expr, list(self._held(child)))
            return
        if expr.op in {"sort", "sort_desc"}:
            # Only an instant query shows an order: that of its one step.
            yield from sorted(
                child,
                key=lambda series: next(iter(series.values.values()), 0.0),
                reverse=expr.op == "sort_desc",
            )
            return
        groups: dict[Labels, dict[int, Group]] = {}
        for series in child:
            group = groups.setdefault(group_of(expr, series.labels), {})
            before = len(group)
            for number, value in series.values.items():
                if number in group:
                    group[number].add(value)
                else:
                    group[number] = Group(expr.op, value)
            self._hold(len(group) - before)
        for labels, group in groups.items():
            values = {number: one.value() for number, one in group.items()}
            yield Series(labels, values)

    def _binary(self, expr: BinaryOperation) -> Iterator[Series]:
        left, right = number_of(expr.left), number_of(expr.right)
        if right is not None:
            compute = replace(expr, right=Literal(right)).compute
            for labels, found in self.series(expr.left):
                values = {n: compute(v, right) for n, v in found.items()}
                yield from present(labels, values)
        elif left is not None:
            compute = replace(expr, left=Literal(left)).compute
            for labels, found in self.series(expr.right):
                values = {n: compute(left, v) for n, v in found.items()}
                yield from present(labels, values)
        else:
            many = list(self.held(expr.left))
            yield from combined(expr, many, list(self.held(expr.right)))


def is_sorted(expr: Expr) -> bool:
    """Say whether *expr* or a part of it asks for an order by value."""
    match expr:
        case VectorAggregation():
            return expr.op in {"sort", "sort_desc"} or is_sorted(expr.expr)
        case LabelReplace():
            return is_sorted(expr.expr)
        case BinaryOperation():
            return is_sorted(expr.left) or is_sorted(expr.right)
    return False
