"""Parse aggregations over a time: ``rate({...} |= "x" [5m] offset 1h)``."""

from __future__ import annotations

from typing import Final, NamedTuple

from shipper.logql.ast import Grouping, RangeAggregation, Unwrap
from shipper.logql.conditions import Condition
from shipper.logql.errors import LogQLError
from shipper.logql.lexer import Kind, Token
from shipper.logql.logs import LogQuery, Selector, Stage
from shipper.logql.stage_parser import StageParser


_CONVERSIONS: Final = {
    "BYTES_CONV": "bytes",
    "DURATION_CONV": "duration",
    "DURATION_SECONDS_CONV": "duration_seconds",
}
_OF_LINES: Final = frozenset(
    {"count_over_time", "rate", "bytes_over_time", "bytes_rate", "absent_over_time"}
)
_OF_VALUES: Final = frozenset(
    {
        "avg_over_time", "sum_over_time", "max_over_time", "min_over_time",
        "stddev_over_time", "stdvar_over_time", "quantile_over_time", "rate",
        "rate_counter", "absent_over_time", "first_over_time", "last_over_time",
    }
)  # fmt: skip
_GROUPED: Final = _OF_VALUES - {
    "sum_over_time", "rate", "rate_counter", "absent_over_time",
}  # fmt: skip


class _Span(NamedTuple):
    range_ns: int
    offset_ns: int


class _LogRange(NamedTuple):
    query: LogQuery
    span: _Span
    unwrap: Unwrap | None


class RangeParser(StageParser):
    """Reads range aggregations, and keeps the log queries it comes across."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.queries: list[LogQuery] = []

    def remember(self, query: LogQuery) -> LogQuery:
        """Note *query* and return it."""
        self.queries.append(query)
        return query

    def range_aggregation(self, op: str) -> RangeAggregation:
        """Parse from the name *op* to the closing parenthesis."""
        self.take()
        self.expect("(", hint=("(",))
        number = self.accept(Kind.NUMBER)
        if number is not None and self.token.kind == ",":
            self.take()
        elif number is not None and op == "quantile_over_time":
            self.unexpected(",")
        parameter = _parameter(op, number.value if number else None)
        query, span, unwrap = self._log_range(Kind.NUMBER, "{", "(")
        self.expect(")")
        grouping = self.grouping()
        _check(op, grouping, unwrap)
        return RangeAggregation(op, query, *span, unwrap, parameter, grouping)

    def grouping(self) -> Grouping | None:
        """Parse ``by (a, b)`` or ``without (a, b)``, None without either."""
        token = self.accept("by", "without")
        if token is None:
            return None
        names = self.names_in_parentheses()
        return Grouping(names, without=token.kind == "without")

    def names_in_parentheses(self) -> tuple[str, ...]:
        """Parse ``(a, b)`` or ``()``."""
        self.expect("(", hint=("(",))
        names: list[str] = []
        if not self.accept(")"):
            names.append(self.identifier(Kind.IDENTIFIER, ")"))
            while not self.accept(")"):
                self.expect(",", hint=(",", ")"))
                names.append(self.identifier(Kind.IDENTIFIER))
        return tuple(names)

    def _log_range(self, *hint: str) -> _LogRange:
        """Parse ``{...} |= ... [5m] offset 1h``, in parentheses or not."""
        if self.token.kind == "(":
            with self.nested():
                return self._log_range_in_parentheses()
        if self.token.kind != "{":
            self.unexpected(*hint)
        return self._rest(self.selector())

    def _rest(self, selector: Selector) -> _LogRange:
        stages, unwrap = self.stages(), self._unwrap()
        span = self._span()
        return self._after(selector, stages, unwrap, span)

    def _after(
        self,
        selector: Selector,
        stages: tuple[Stage, ...],
        unwrap: Unwrap | None,
        span: _Span,
    ) -> _LogRange:
        """Parse the stages behind a range when none stood in front of it."""
        if not stages and unwrap is None:
            stages, unwrap = self.stages(), self._unwrap()
        return _LogRange(self.remember(LogQuery(selector, stages)), span, unwrap)

    def _log_range_in_parentheses(self) -> _LogRange:
        self.take()
        if self.token.kind == "(":
            inside = self._log_range()
            self.expect(")")
            return inside
        if self.token.kind != "{":
            self.unexpected("{", "(")
        selector = self.selector()
        stages, unwrap = self.stages(), self._unwrap()
        if self.accept(")"):  # ({...})[5m]
            span = self._span()
            if not stages and unwrap is None:
                unwrap = self._unwrap()
            return _LogRange(self.remember(LogQuery(selector, stages)), span, unwrap)
        found = self._after(selector, stages, unwrap, self._span())
        self.expect(")")
        return found

    def _unwrap(self) -> Unwrap | None:
        if self.token.kind != "|" or self.ahead(1) != "unwrap":
            return None
        self.take()
        self.take()
        conversion = ""
        if operation := self.accept(*_CONVERSIONS):
            conversion = _CONVERSIONS[operation.kind]
            self.expect("(", hint=("(",))
        label = self.identifier()
        if conversion:
            self.expect(")", hint=(")",))
        filters: list[Condition] = []
        while self.accept("|"):
            filters.append(self.condition())
        return Unwrap(label, conversion, tuple(filters))

    def _span(self) -> _Span:
        range_ns = int(self.expect(Kind.RANGE).value)
        if not self.accept("offset"):
            return _Span(range_ns, 0)
        token = self.expect(Kind.DURATION, hint=(Kind.DURATION,))
        return _Span(range_ns, int(token.value))


def _parameter(op: str, text: str | None) -> float | None:
    if op != "quantile_over_time":
        if text is not None:
            wrong = f"parameter {text} not supported for operation {op}"
            raise LogQLError.at(0, 0, wrong)
        return None
    if text is None:
        raise LogQLError.at(0, 0, f"parameter required for operation {op}")
    try:
        return float(text)
    except ValueError:
        wrong = f"invalid parameter for operation {op}: {text}"
        raise LogQLError.at(0, 0, wrong) from None


def _check(op: str, grouping: Grouping | None, unwrap: Unwrap | None) -> None:
    """Refuse what Loki refuses (RangeAggregationExpr.validate)."""
    if grouping is not None and op not in _GROUPED:
        raise LogQLError.at(0, 0, f"grouping not allowed for {op} aggregation")
    if unwrap is not None and op not in _OF_VALUES:
        raise LogQLError.at(0, 0, f"invalid aggregation {op} with unwrap")
    if unwrap is None and op not in _OF_LINES:
        raise LogQLError.at(0, 0, f"invalid aggregation {op} without unwrap")
