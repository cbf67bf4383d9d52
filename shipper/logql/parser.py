"""LogQL tokens into a tree (Loki pkg/logql/syntax/syntax.y), by recursive descent.

Errors carry Loki's text: what was not expected, where, and, when there are at most four
possibilities, what was.
"""

from __future__ import annotations

from typing import Final

from exporters.toolkit.regex import RegexError
from shipper.logql.ast import (
    BinaryOperation,
    Expr,
    LabelReplace,
    Literal,
    Matching,
    Vector,
    VectorAggregation,
    number_of,
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
_VECTOR_OPS: Final = VECTOR_FUNCTIONS - {"approx_topk"}
_SET_OPS: Final = frozenset({"and", "or", "unless"})
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

    Parts of LogQL that this project does not evaluate (Go's templates, approx_topk)
    are refused by name.
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
            op = self.take().kind
            return_bool = self.accept("bool") is not None
            matching = self._matching()
            # ^ is the only operation that groups to the right.
            with self.nested():
                right = self.expression(_PRECEDENCE[op] - (op == "^"))
            _check_legs(op, left, right)
            left = BinaryOperation(op, left, right, return_bool, matching)
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
        if kind == "label_replace":
            return self._label_replace()
        return self._vector() if kind == "VECTOR" else self._literal()

    def _parentheses(self) -> Expr:
        with self.nested():
            self.take()
            expr = self.expression(0)
            self.expect(")")
            return expr

    def _literal(self) -> Literal:
        sign = self.accept("+", "-")
        token = self.expect(Kind.NUMBER, hint=(Kind.NUMBER,) if sign else ())
        value = _float(token.value)
        return Literal(-value if sign and sign.kind == "-" else value)

    def _vector_aggregation(self, op: str) -> VectorAggregation:
        if op not in _VECTOR_OPS:
            self.unsupported(op)
        self.take()
        grouping = self.grouping()
        self.expect("(", hint=("(",))
        number = None
        if self.token.kind == Kind.NUMBER and self.ahead(1) == ",":
            number = self.take().value
            self.take()
        expr = self._metric()
        self.expect(")")
        grouping = grouping or self.grouping()
        if op in {"sort", "sort_desc"} and grouping and grouping.names:
            text = "sort and sort_desc doesn't allow grouping by "
            raise LogQLError.at(0, 0, text)
        return VectorAggregation(op, expr, grouping, _parameter(op, number))

    def _metric(self) -> Expr:
        with self.nested():
            expr = self.expression(0)
        if isinstance(expr, LogQuery):
            self.unexpected()
        return expr

    def _vector(self) -> Vector:
        self.take()
        self.expect("(", hint=("(",))
        number = self.expect(Kind.NUMBER, hint=(Kind.NUMBER,)).value
        self.expect(")", hint=(")",))
        return Vector(_float(number))

    def _label_replace(self) -> LabelReplace:
        self.take()
        self.expect("(", hint=("(",))
        expr = self._metric()
        texts: list[str] = []
        for _ in range(4):
            self.expect(",", hint=(",",))
            texts.append(self.expect(Kind.STRING, hint=(Kind.STRING,)).value)
        self.expect(")", hint=(")",))
        try:
            return LabelReplace(expr, *texts)
        except RegexError as error:
            text = f"invalid regex in label_replace: {error}"
            raise LogQLError.at(0, 0, text) from None

    def _matching(self) -> Matching | None:
        token = self.accept("on", "ignoring")
        if token is None:
            return None
        names, many = self.names_in_parentheses(), ""
        include: tuple[str, ...] = ()
        if group := self.accept("group_left", "group_right"):
            many = group.kind.removeprefix("group_")
            # What follows in parentheses may be the other side as well.
            if self.token.kind == "(" and self.ahead(1) in {Kind.IDENTIFIER, ")"}:
                include = self.names_in_parentheses()
        return Matching(names, token.kind == "on", many, include)


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        wrong = (
            "unable to parse literal as a float: strconv.ParseFloat: parsing "
            f'"{text}": invalid syntax'
        )
        raise LogQLError.at(0, 0, wrong) from None


def _check_legs(op: str, left: Expr, right: Expr) -> None:
    for leg, expr in (("left", left), ("right", right)):
        if isinstance(expr, LogQuery):
            name = "PipelineExpr" if expr.stages else "MatchersExpr"
            text = (
                f"unexpected type for {leg} leg of binary operation ({op}): "
                f"*syntax.{name}"
            )
            raise LogQLError.at(0, 0, text)
    if op not in _SET_OPS:
        return
    for leg, expr in (("left", left), ("right", right)):
        value = number_of(expr)
        if value is not None:
            text = (
                f"unexpected literal for {leg} leg of logical/set binary operation "
                f"({op}): {value:f}"
            )
            raise LogQLError.at(0, 0, text)


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
