"""LogQL tokens into a tree (Loki pkg/logql/syntax/syntax.y), by recursive descent.

Errors carry Loki's text: what was not expected, where, and, when there are at most four
possibilities, what was.
"""

from __future__ import annotations

from typing import Final

from shipper.logql.ast import (
    BinaryOperation,
    Expr,
    Grouping,
    Literal,
    VectorAggregation,
)
from shipper.logql.errors import LogQLError
from shipper.logql.lexer import Kind, tokenize
from shipper.logql.logs import LogQuery, Selector
from shipper.logql.ranges import RangeParser
from shipper.logql.words import RANGE_FUNCTIONS, VECTOR_FUNCTIONS


_UNBOUNDED: Final = (
    "queries require at least one regexp or equality matcher that does not have an "
    'empty-compatible value. For instance, app=~".*" does not meet this requirement, '
    'but app=~".+" will'
)
_VECTOR_OPS: Final = frozenset({"sum", "min", "max", "avg", "count", "topk", "bottomk"})
_PRECEDENCE: Final = {
    **dict.fromkeys(("or",), 1),
    **dict.fromkeys(("and", "unless"), 2),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
    "^": 6,
}


def parse(text: str) -> Expr:
    """Return the tree of query *text*. Raises LogQLError.

    Parts of LogQL that this project does not evaluate (parsers, templates, unwrap,
    vector matching …) are refused by name.
    """
    parser = _Parser(tokenize(text))
    expr = parser.expression(0)
    parser.expect(Kind.END)
    for query in parser.queries:
        if not query.selector.is_bounded:
            raise LogQLError.at(0, 0, _UNBOUNDED)
    return expr


def parse_log_query(text: str) -> LogQuery:
    """Return the selector and filters of *text*. Raises LogQLError for a metric."""
    expr = parse(text)
    if not isinstance(expr, LogQuery):
        raise LogQLError("only log selector is supported")
    return expr


def parse_selector(text: str, *, bounded: bool = True) -> Selector:
    """Return the bare selector *text*. Raises LogQLError for anything more.

    *bounded* False accepts what would select every stream, such as ``{}``.
    """
    parser = _Parser(tokenize(text))
    expr = parser.expression(0)
    parser.expect(Kind.END)
    if not isinstance(expr, LogQuery) or expr.stages:
        raise LogQLError("only label matchers are supported")
    if bounded and not expr.selector.is_bounded:
        raise LogQLError.at(0, 0, _UNBOUNDED)
    return expr.selector


class _Parser(RangeParser):
    def expression(self, weakest: int) -> Expr:
        """Parse operations that bind tighter than *weakest*."""
        left = self._primary()
        while _PRECEDENCE.get(self.token.kind, 0) > weakest:
            op = self.token.kind
            if op in {"and", "or", "unless"}:
                self.unsupported(f"operation {op}")
            self.take()
            return_bool = self.accept("bool") is not None
            if self.token.kind in {"on", "ignoring"}:
                self.unsupported(self.token.kind)
            # ^ is the only operation that groups to the right.
            with self.nested():
                right = self.expression(_PRECEDENCE[op] - (op == "^"))
            left = _binary(op, left, right, return_bool=return_bool)
        return left

    def _primary(self) -> Expr:
        kind = self.token.kind
        name = kind.lower() if kind.isupper() else ""
        if kind == "{":
            return self.remember(LogQuery(self.selector(), self.stages()))
        if kind == "(":
            return self._parentheses()
        if name in RANGE_FUNCTIONS:
            return self.range_aggregation(name)
        if name in VECTOR_FUNCTIONS:
            return self._vector_aggregation(name)
        if kind in {"label_replace", "VECTOR"}:
            self.unsupported(kind.lower())
        return self._literal()

    def _parentheses(self) -> Expr:
        with self.nested():
            self.take()
            expr = self.expression(0)
            self.expect(")")
            return expr

    def _literal(self) -> Literal:
        sign = self.accept("+", "-")
        token = self.expect(Kind.NUMBER, hint=(Kind.NUMBER,) if sign else ())
        try:
            value = float(token.value)
        except ValueError:
            text = (
                "unable to parse literal as a float: strconv.ParseFloat: parsing "
                f'"{token.value}": invalid syntax'
            )
            raise LogQLError.at(0, 0, text) from None
        return Literal(-value if sign and sign.kind == "-" else value)

    def _vector_aggregation(self, op: str) -> VectorAggregation:
        if op not in _VECTOR_OPS:
            self.unsupported(op)
        self.take()
        grouping = self._grouping()
        self.expect("(", hint=("(",))
        number = None
        if self.token.kind == Kind.NUMBER and self.ahead(1) == ",":
            number = self.take().value
            self.take()
        with self.nested():
            expr = self.expression(0)
        if isinstance(expr, LogQuery):
            self.unexpected()
        self.expect(")")
        grouping = grouping or self._grouping()
        return VectorAggregation(op, expr, grouping, _parameter(op, number))

    def _grouping(self) -> Grouping | None:
        token = self.accept("by", "without")
        if token is None:
            return None
        self.expect("(", hint=("(",))
        names: list[str] = []
        if not self.accept(")"):
            names.append(self.identifier(Kind.IDENTIFIER, ")"))
            while not self.accept(")"):
                self.expect(",", hint=(",", ")"))
                names.append(self.identifier(Kind.IDENTIFIER))
        return Grouping(tuple(names), without=token.kind == "without")


def _binary(op: str, left: Expr, right: Expr, *, return_bool: bool) -> BinaryOperation:
    for leg, expr in (("left", left), ("right", right)):
        if isinstance(expr, LogQuery):
            name = "PipelineExpr" if expr.stages else "MatchersExpr"
            text = (
                f"unexpected type for {leg} leg of binary operation ({op}): "
                f"*syntax.{name}"
            )
            raise LogQLError.at(0, 0, text)
    return BinaryOperation(op, left, right, return_bool)


def _parameter(op: str, text: str | None) -> int | None:
    """Check the k of topk and bottomk (ast.go mustNewVectorAggregationExpr)."""
    if op not in {"topk", "bottomk"}:
        if text is not None:
            wrong = f"unsupported parameter for operation {op}({text},"
            raise LogQLError.at(0, 0, wrong)
        return None
    if text is None:
        raise LogQLError.at(0, 0, f"parameter required for operation {op}")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise LogQLError.at(0, 0, f"invalid parameter {op}({text},")
    if int(text) == 0:
        wrong = f"invalid parameter (must be greater than 0) {op}({text}"
        raise LogQLError.at(0, 0, wrong)
    return int(text)
