"""A query's text, parsed, and what of it SQLite can do."""

from __future__ import annotations

import re
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
)
from shipper.pipeline.entry import Labels
from shipper.wire.errors import Answer


_NUMBER: Final = r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?"
_VECTOR: Final = re.compile(rf"vector\s*\(\s*({_NUMBER})\s*\)")


class Parsed(NamedTuple):
    """A query; *is_vector* when its numbers stood inside ``vector()``."""

    expr: Expr
    is_vector: bool


class Filters(NamedTuple):
    """The line filters: substrings for SQLite, the rest as one *predicate*.

    Each of *contains* is the needles and whether one of them has to be there.
    """

    contains: tuple[tuple[tuple[bytes, ...], bool], ...]
    predicate: Callable[[bytes], bool] | None


def parse_query(text: str) -> Parsed:
    """Return the query *text*. Raises Answer 400 with Loki's parse error.

    ``vector(1)+vector(1)``, which Grafana sends to see whether Loki is there, is
    arithmetic on numbers here; beside a selector ``vector()`` is refused.
    """
    is_vector = "{" not in text and _VECTOR.search(text) is not None
    try:
        return Parsed(
            logql.parse(_VECTOR.sub(r"\1", text) if is_vector else text), is_vector
        )
    except LogQLError as error:
        raise Answer(400, str(error)) from None


def filters(query: LogQuery) -> Filters:
    """Split the line filters of *query*; they are the same in any order."""
    contains = []
    rest: list[LineFilter] = []
    for stage in query.line_filters:
        if stage.op in {FilterOp.CONTAINS, FilterOp.NOT_CONTAINS}:
            needles = tuple(t.encode("utf-8", "surrogateescape") for t in stage.texts)
            contains.append((needles, not stage.is_negative))
        else:
            rest.append(stage)
    if not rest:
        return Filters(tuple(contains), None)
    if len(rest) == 1:
        return Filters(tuple(contains), rest[0].matches)
    return Filters(tuple(contains), lambda line: all(f.matches(line) for f in rest))


def has_label_stages(query: LogQuery) -> bool:
    """Return whether *query* filters or drops labels after its selector."""
    return any(isinstance(stage, LabelFilter | DropLabels) for stage in query.stages)


def shown(query: LogQuery, labels: Labels) -> Labels | None:
    """Return *labels* after the label stages of *query*, None when filtered out."""
    values = dict(labels)
    for stage in query.stages:
        if isinstance(stage, LabelFilter):
            if not stage.matcher.matches(values.get(stage.matcher.name, "")):
                return None
        elif isinstance(stage, DropLabels):
            values = {k: v for k, v in values.items() if k not in stage.names}
    return tuple(values.items())
