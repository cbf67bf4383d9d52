"""The tree of a metric query over log queries.

Every node prints itself as LogQL (``str(node)``). Times are nanoseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from exporters.toolkit.regex import Regex
from shipper.logql.conditions import Condition
from shipper.logql.logs import LogQuery, quote


@dataclass(frozen=True, slots=True)
class Unwrap:
    """``| unwrap bytes(size) | __error__=""``: the label whose value counts."""

    label: str
    conversion: str = ""
    filters: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        label = f"{self.conversion}({self.label})" if self.conversion else self.label
        return " ".join([f"| unwrap {label}", *(f"| {one}" for one in self.filters)])


@dataclass(frozen=True, slots=True)
class Grouping:
    """``by (names)``, or ``without (names)``."""

    names: tuple[str, ...]
    without: bool = False

    def key(self, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return the labels of the group that *labels* belong to, sorted."""
        if self.without:
            kept = [(k, v) for k, v in labels.items() if v and k not in self.names]
        else:
            kept = [(k, labels[k]) for k in self.names if k in labels]
        return tuple(sorted(set(kept)))

    def __str__(self) -> str:
        return f"{'without' if self.without else 'by'} ({', '.join(self.names)})"


@dataclass(frozen=True, slots=True)
class RangeAggregation:
    """``rate``, ``sum_over_time`` …: lines, or values with *unwrap*, over a time.

    *parameter* is the quantile of ``quantile_over_time``.
    """

    op: str
    query: LogQuery
    range_ns: int
    offset_ns: int = 0
    unwrap: Unwrap | None = None
    parameter: float | None = None
    grouping: Grouping | None = None

    def __str__(self) -> str:
        parameter = f"{self.parameter!r}, " if self.parameter is not None else ""
        unwrap = f" {self.unwrap}" if self.unwrap else ""
        offset = f" offset {self.offset_ns}ns" if self.offset_ns else ""
        grouping = f" {self.grouping}" if self.grouping else ""
        inside = f"{self.query}{unwrap}[{self.range_ns}ns]{offset}"
        return f"{self.op}({parameter}{inside}){grouping}"


@dataclass(frozen=True, slots=True)
class VectorAggregation:
    """``sum``, ``stddev``, ``sort`` …, or ``topk`` and ``bottomk``.

    *parameter* is the k of the last two. Without *grouping* all is one group.
    """

    op: str
    expr: Expr
    grouping: Grouping | None = None
    parameter: int | None = None

    def __str__(self) -> str:
        grouping = f" {self.grouping} " if self.grouping else ""
        parameter = f"{self.parameter}, " if self.parameter is not None else ""
        return f"{self.op}{grouping}({parameter}{self.expr})"


@dataclass(frozen=True, slots=True)
class Literal:
    """A number."""

    value: float

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True, slots=True)
class Vector:
    """``vector(1)``: a series without labels that always has the value."""

    value: float

    def __str__(self) -> str:
        return f"vector({self.value!r})"


@dataclass(frozen=True, slots=True)
class LabelReplace:
    """``label_replace(expr, "dst", "$1", "src", "(.*)")``. Raises RegexError."""

    expr: Expr
    target: str
    replacement: str
    source: str
    pattern: str
    regex: Regex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "regex", Regex(f"^(?:{self.pattern})$"))

    def replaced(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return *labels* with the target made out of the source."""
        match = self.regex.find(labels.get(self.source, ""))
        if match is None:
            return dict(labels)
        value = match.expand(self.replacement)
        kept = {k: v for k, v in labels.items() if k != self.target}
        return {**kept, self.target: value} if value else kept

    def __str__(self) -> str:
        texts = (self.target, self.replacement, self.source, self.pattern)
        return f"label_replace({self.expr}, {', '.join(map(quote, texts))})"


@dataclass(frozen=True, slots=True)
class Matching:
    """``on (a) group_left (b)``: which series go together, and which side has many."""

    names: tuple[str, ...] = ()
    on: bool = False
    many: str = ""
    """"left", "right" or neither."""
    include: tuple[str, ...] = ()

    def key(self, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return what two series have to have in common."""
        group = Grouping(self.names, without=not self.on).key(labels)
        return tuple(pair for pair in group if pair[1])

    def __str__(self) -> str:
        text = f" {'on' if self.on else 'ignoring'} ({', '.join(self.names)})"
        if self.many:
            text += f" group_{self.many} ({', '.join(self.include)})"
        return text


@dataclass(frozen=True, slots=True)
class BinaryOperation:
    """Arithmetic, comparison, or ``and``, ``or``, ``unless``.

    Series with equal labels go together, or as *matching* says.
    """

    op: str
    left: Expr
    right: Expr
    return_bool: bool = False
    matching: Matching | None = None

    @property
    def is_comparison(self) -> bool:
        """Say whether the operation compares."""
        return self.op in COMPARISONS

    def compute(self, left: float, right: float) -> float | None:
        """Return the value for one pair; None where a comparison filters it out."""
        if not self.is_comparison:
            return ARITHMETIC[self.op](left, right)
        holds = COMPARISONS[self.op](left, right)
        left_is_number = isinstance(self.left, Literal)
        if self.return_bool or (left_is_number and isinstance(self.right, Literal)):
            return float(holds)
        # The series' value passes, not the number it is compared with.
        kept = right if left_is_number else left
        return kept if holds else None

    def __str__(self) -> str:
        modifier = " bool" if self.return_bool else ""
        matching = str(self.matching) if self.matching else ""
        return f"({self.left} {self.op}{modifier}{matching} {self.right})"


Expr: TypeAlias = (
    LogQuery
    | RangeAggregation
    | VectorAggregation
    | Literal
    | Vector
    | LabelReplace
    | BinaryOperation
)


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "==": float.__eq__,
    "!=": float.__ne__,
    ">": float.__gt__,
    ">=": float.__ge__,
    "<": float.__lt__,
    "<=": float.__le__,
}
# Loki divides by zero into NaN, never into infinity (pkg/logql/syntax MergeBinOp).
ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": float.__add__,
    "-": float.__sub__,
    "*": float.__mul__,
    "/": lambda left, right: left / right if right else math.nan,
    "%": lambda left, right: math.fmod(left, right) if right else math.nan,
    "^": _power,
}


def number_of(expr: Expr) -> float | None:
    """Return the value of an expression of numbers alone, None for any other."""
    if isinstance(expr, Literal):
        return expr.value
    if not isinstance(expr, BinaryOperation):
        return None
    left, right = number_of(expr.left), number_of(expr.right)
    if left is None or right is None:
        return None
    if expr.is_comparison:  # between two numbers it is 1 or 0
        return float(COMPARISONS[expr.op](left, right))
    return ARITHMETIC[expr.op](left, right)
