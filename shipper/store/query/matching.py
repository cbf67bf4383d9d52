"""Operations between two sides of many series (evaluator.go BinOpStepEvaluator)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from shipper.logql import BinaryOperation, Matching
from shipper.logql.line import as_labels
from shipper.pipeline.entry import Labels
from shipper.store.query.steps import Series
from shipper.wire.errors import Answer


def combined(
    expr: BinaryOperation, left: list[Series], right: list[Series]
) -> Iterator[Series]:
    """Yield the series of an operation that is not with a number."""
    if expr.op in {"and", "or", "unless"}:
        return _set_operation(expr, left, right)
    return _arithmetic(expr, left, right)


def present(labels: Labels, values: Mapping[int, float | None]) -> Iterator[Series]:
    """Yield a series with those of *values* that are there, if any is."""
    there = {number: value for number, value in values.items() if value is not None}
    if there:
        yield Series(labels, there)


def _key(expr: BinaryOperation) -> Callable[[Labels], Labels]:
    matching = expr.matching
    if matching is None:
        return lambda labels: labels
    return lambda labels: matching.key(dict(labels))


def _steps(side: list[Series], key: Callable[[Labels], Labels]) -> _Steps:
    """Return at which steps each key has a value."""
    steps: dict[Labels, set[int]] = {}
    for series in side:
        steps.setdefault(key(series.labels), set()).update(series.values)
    return steps


_Steps = dict[Labels, set[int]]


def _set_operation(
    expr: BinaryOperation, left: list[Series], right: list[Series]
) -> Iterator[Series]:
    key = _key(expr)
    if expr.op == "or":
        yield from _either(left, right, key)
        return
    steps, wanted = _steps(right, key), expr.op == "and"
    for labels, values in left:
        there = steps.get(key(labels), set())
        yield from present(
            labels, {n: v for n, v in values.items() if (n in there) == wanted}
        )


def _either(
    left: list[Series], right: list[Series], key: Callable[[Labels], Labels]
) -> Iterator[Series]:
    steps = _steps(left, key)
    united: dict[Labels, dict[int, float]] = {}
    for labels, values in left:
        united.setdefault(labels, {}).update(values)
    for labels, values in right:
        there = steps.get(key(labels), set())
        more = {n: v for n, v in values.items() if n not in there}
        united.setdefault(labels, {}).update(more)
    for labels, values in united.items():
        yield from present(labels, values)


def _arithmetic(
    expr: BinaryOperation, left: list[Series], right: list[Series]
) -> Iterator[Series]:
    matching = expr.matching or Matching()
    swapped = matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    key = _key(expr)
    partners = _partners(one, key, "left" if swapped else "right")
    found: dict[Labels, dict[int, float | None]] = {}
    taken: set[tuple[Labels, Labels | None, int]] = set()
    for labels, values in many:
        name = key(labels)
        for number, value in values.items():
            partner = partners.get((name, number))
            if partner is None:
                continue
            result = _result_labels(labels, partner[0], expr.matching)
            mark = (name, result if matching.many else None, number)
            _refuse_second(taken, mark)
            pair = (partner[1], value) if swapped else (value, partner[1])
            found.setdefault(result, {})[number] = expr.compute(*pair)
    for labels, computed in found.items():
        yield from present(labels, computed)


def _refuse_second(
    taken: set[tuple[Labels, Labels | None, int]],
    mark: tuple[Labels, Labels | None, int],
) -> None:
    if mark in taken:
        raise Answer(
            500,  # as Loki answers
            "multiple matches for labels: grouping labels must ensure unique matches"
            if mark[1] is not None
            else "multiple matches for labels: many-to-one matching must be explicit "
            "(group_left/group_right)",
        )
    taken.add(mark)


def _partners(
    one: list[Series], key: Callable[[Labels], Labels], side: str
) -> dict[tuple[Labels, int], tuple[Labels, float]]:
    partners: dict[tuple[Labels, int], tuple[Labels, float]] = {}
    for labels, values in one:
        name = key(labels)
        for number, value in values.items():
            if (name, number) in partners:
                raise Answer(
                    500,  # as Loki answers
                    f"found duplicate series on the {side} hand-side;many-to-many "
                    "matching not allowed: matching labels must be unique on one side",
                )
            partners[name, number] = (labels, value)
    return partners


def _result_labels(many: Labels, one: Labels, matching: Matching | None) -> Labels:
    if matching is None:
        return many
    labels = dict(many)
    if not matching.many:
        labels = dict(matching.key(labels))
    other = dict(one)
    for name in matching.include:
        labels[name] = other.get(name, "")
    return as_labels(labels.items())
