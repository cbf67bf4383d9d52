"""A query's text, parsed, and what of it SQLite can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from shipper import logql
from shipper.logql import (
    DropLabels,
    Expr,
    FilterOp,
    LabelFilter,
    LineFilter,
    LogQLError,
    LogQuery,
    Matcher,
    RangeAggregation,
    Stage,
)
from shipper.logql.pipeline import AnyLineFilter, split_first
from shipper.pipeline.entry import Labels
from shipper.wire.errors import Answer


_COUNTED: Final = frozenset(
    {"count_over_time", "rate", "bytes_over_time", "bytes_rate"}
)


class Filters(NamedTuple):
    """The line filters: substrings for SQLite, the rest as one *predicate*.

    Each of *contains* is the needles and whether one of them has to be there.
    """

    contains: tuple[tuple[tuple[bytes, ...], bool], ...]
    predicate: Callable[[bytes], bool] | None


def parse_query(text: str) -> Expr:
    """Return the query *text*. Raises Answer 400 with Loki's parse error."""
    try:
        return logql.parse(text)
    except LogQLError as error:
        raise Answer(400, str(error)) from None


def stages_of(query: LogQuery) -> list[Stage]:
    """Return the stages of *query* that are not among its `filters`."""
    return split_first(query.stages)[1]


def is_simple(aggregation: RangeAggregation) -> bool:
    """Say whether SQLite can count for *aggregation*: its lines need no parsing."""
    return aggregation.op in _COUNTED and all(
        isinstance(stage, LabelFilter)
        or (
            isinstance(stage, DropLabels)
            and not any(isinstance(name, Matcher) for name in stage.names)
        )
        for stage in stages_of(aggregation.query)
    )


def filters(query: LogQuery) -> Filters:
    """Split the filters of *query* that see lines as they are stored."""
    contains = []
    rest: list[AnyLineFilter] = []
    for stage in split_first(query.stages)[0]:
        if isinstance(stage, LineFilter) and stage.op in {
            FilterOp.CONTAINS,
            FilterOp.NOT_CONTAINS,
        }:
            needles = tuple(t.encode("utf-8", "surrogateescape") for t in stage.texts)
            contains.append((needles, not stage.is_negative))
        else:
            rest.append(stage)
    if not rest:
        return Filters(tuple(contains), None)
    if len(rest) == 1:
        return Filters(tuple(contains), rest[0].matches)
    return Filters(tuple(contains), lambda line: all(f.matches(line) for f in rest))


def shown(query: LogQuery, labels: Labels) -> Labels | None:
    """Return *labels* after the simple stages of *query*, None when filtered out."""
    values = dict(labels)
    for stage in query.stages:
        if isinstance(stage, LabelFilter):
            if not stage.matcher.matches(values.get(stage.matcher.name, "")):
                return None
        elif isinstance(stage, DropLabels):
            values = {k: v for k, v in values.items() if k not in stage.names}
    return tuple(values.items())
