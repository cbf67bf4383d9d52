"""LogQL (Loki pkg/logql): queries read, and their stages run over lines.

The match stage and the store use the same parser. Pure: text in, frozen dataclasses
out.
"""

from __future__ import annotations

from shipper.logql.ast import (
    BinaryOperation,
    Expr,
    Grouping,
    LabelReplace,
    Literal,
    Matching,
    RangeAggregation,
    Unwrap,
    Vector,
    VectorAggregation,
    number_of,
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
    "LabelReplace",
    "LineFilter",
    "Literal",
    "LogQLError",
    "LogQuery",
    "MatchOp",
    "Matcher",
    "Matching",
    "RangeAggregation",
    "Selector",
    "Stage",
    "Unwrap",
    "Vector",
    "VectorAggregation",
    "number_of",
    "parse",
    "parse_log_query",
    "parse_selector",
]
