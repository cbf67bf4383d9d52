"""Parse counts and rates over a time: ``rate({...} |= "x" [5m] offset 1h)``."""

from __future__ import annotations

from typing import Final

from shipper.logql.ast import RangeAggregation
from shipper.logql.errors import LogQLError
from shipper.logql.lexer import Kind, Token
from shipper.logql.logs import LogQuery
from shipper.logql.selectors import SelectorParser


_RANGE_OPS: Final = frozenset(
    {"count_over_time", "rate", "bytes_over_time", "bytes_rate"}
)


class RangeParser(SelectorParser):
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
        if op not in _RANGE_OPS:
            self.unsupported(op)
        self.take()
        self.expect("(", hint=("(",))
        number = self.accept(Kind.NUMBER)
        if number is not None:
            text = f"parameter {number.value} not supported for operation {op}"
            raise LogQLError.at(0, 0, text)
        query, range_ns, offset_ns = self._log_range(Kind.NUMBER, "{", "(")
        self.expect(")")
        if self.token.kind in {"by", "without"}:
            raise LogQLError.at(0, 0, f"grouping not allowed for {op} aggregation")
        return RangeAggregation(op, query, range_ns, offset_ns)

    def _log_range(self, *hint: str) -> tuple[LogQuery, int, int]:
        """Parse ``{...} |= ... [5m] offset 1h``, in parentheses or not."""
        if self.token.kind == "(":
            with self.nested():
                return self._log_range_in_parentheses()
        if self.token.kind != "{":
            self.unexpected(*hint)
        selector, before = self.selector(), self.stages()
        range_ns, offset_ns = self._range_and_offset()
        query = LogQuery(selector, before or self.stages())
        return self.remember(query), range_ns, offset_ns

    def _log_range_in_parentheses(self) -> tuple[LogQuery, int, int]:
        self.take()
        if self.token.kind == "(":
            inside = self._log_range()
            self.expect(")")
            return inside
        if self.token.kind != "{":
            self.unexpected("{", "(")
        selector, stages = self.selector(), self.stages()
        if self.accept(")"):  # ({...})[5m]
            query = self.remember(LogQuery(selector, stages))
            return (query, *self._range_and_offset())
        span = self._range_and_offset()
        query = self.remember(LogQuery(selector, stages or self.stages()))
        self.expect(")")
        return (query, *span)

    def _range_and_offset(self) -> tuple[int, int]:
        range_ns = int(self.expect(Kind.RANGE).value)
        if not self.accept("offset"):
            return range_ns, 0
        token = self.expect(Kind.DURATION, hint=(Kind.DURATION,))
        return range_ns, int(token.value)
