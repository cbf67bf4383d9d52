"""LogQL, the part that a shipper and a small store need.

Stream selectors, line filters, counts and rates over them, aggregations and arithmetic
(Loki pkg/logql/syntax). The match stage and the store use the same parser. Pure: text
in, frozen dataclasses out.
"""

from __future__ import annotations

from shipper.logql.ast import (
    BinaryOperation,
    Expr,
    Grouping,
    Literal,
    RangeAggregation,
    VectorAggregation,
)
from shipper.logql.errors import LogQLError
from shipper.logql.logs import (
    DropLabels,
    FilterOp,
    LabelFilter,
    LineFilter,
    LogQuery,
    Matcher,
    MatchOp,
    Selector,
    Stage,
)
from shipper.logql.parser import parse, parse_log_query, parse_selector


__all__ = [
    "BinaryOperation",
    "DropLabels",
    "Expr",
    "FilterOp",
    "Grouping",
    "LabelFilter",
    "LineFilter",
    "Literal",
    "LogQLError",
    "LogQuery",
    "MatchOp",
    "Matcher",
    "RangeAggregation",
    "Selector",
    "Stage",
    "VectorAggregation",
    "parse",
    "parse_log_query",
    "parse_selector",
]
