"""The tree of a metric query over log queries.

Every node prints itself as LogQL (``str(node)``). Times are nanoseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from shipper.logql.logs import LogQuery


@dataclass(frozen=True, slots=True)
class RangeAggregation:
    """``count_over_time``, ``rate``, ``bytes_over_time`` or ``bytes_rate``."""

    op: str
    query: LogQuery
    range_ns: int
    offset_ns: int = 0

    def __str__(self) -> str:
        offset = f" offset {self.offset_ns}ns" if self.offset_ns else ""
        return f"{self.op}({self.query}[{self.range_ns}ns]{offset})"


@dataclass(frozen=True, slots=True)
class Grouping:
    """``by (names)``, or ``without (names)``."""

    names: tuple[str, ...]
    without: bool = False

    def key(self, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return the labels of the group that *labels* belong to, sorted."""
        if self.without:
            kept = [(k, v) for k, v in labels.items() if k not in self.names]
        else:
            kept = [(k, labels[k]) for k in self.names if labels.get(k)]
        return tuple(sorted(set(kept)))

    def __str__(self) -> str:
        return f"{'without' if self.without else 'by'} ({', '.join(self.names)})"


@dataclass(frozen=True, slots=True)
class VectorAggregation:
    """``sum``, ``min``, ``max``, ``avg``, ``count``, or ``topk``/``bottomk``.

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
class BinaryOperation:
    """Arithmetic or comparison; series with equal labels go together."""

    op: str
    left: Expr
    right: Expr
    return_bool: bool = False

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
        return f"({self.left} {self.op}{modifier} {self.right})"


Expr: TypeAlias = (
    LogQuery | RangeAggregation | VectorAggregation | Literal | BinaryOperation
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
