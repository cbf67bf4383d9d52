"""Parse selectors and the stages behind them."""

from __future__ import annotations

from typing import Final

from exporters.toolkit.regex import RegexError
from shipper.logql.cursor import Cursor
from shipper.logql.errors import LogQLError
from shipper.logql.lexer import Kind
from shipper.logql.logs import (
    DropLabels,
    FilterOp,
    LabelFilter,
    LineFilter,
    Matcher,
    MatchOp,
    Selector,
    Stage,
)


# Token order of the grammar: the order Loki lists expected tokens in.
_MATCH_OPS: Final = ("=", "=~", "!~", "!=")
_FILTER_OPS: Final = frozenset({"|=", "|~", "!=", "!~", "|>", "!>"})
_COMPARISONS: Final = frozenset({"==", "<", "<=", ">", ">="})
_NO_STRINGS: Final = frozenset({Kind.NUMBER, Kind.DURATION, Kind.BYTES, "ip"})


class SelectorParser(Cursor):
    """Reads ``{...}`` and ``|= ...``."""

    def selector(self) -> Selector:
        """Parse a selector in braces."""
        self.expect("{")
        if self.accept("}"):
            return Selector(())
        matchers = [self._matcher(Kind.IDENTIFIER, "}")]
        while not self.accept("}"):
            self.expect(",", hint=("}", ","))
            matchers.append(self._matcher(Kind.IDENTIFIER))
        return Selector(tuple(matchers))

    def _matcher(self, *hint: str) -> Matcher:
        name = self.identifier(*hint)
        op = self.expect(*_MATCH_OPS, hint=_MATCH_OPS)
        value = self.expect(Kind.STRING, hint=(Kind.STRING,)).value
        try:
            return Matcher(name, MatchOp(op.kind), value)
        except RegexError as error:
            raise LogQLError.at(0, 0, str(error)) from None

    def stages(self) -> tuple[Stage, ...]:
        """Parse line filters and label stages, none or many."""
        stages: list[Stage] = []
        while True:
            if self.token.kind in _FILTER_OPS:
                stages.append(self._line_filter())
            elif self.accept("|"):
                stages.append(self._label_stage())
            else:
                return tuple(stages)

    def _line_filter(self) -> LineFilter:
        op = self.token.kind
        if op in {"|>", "!>"}:
            self.unsupported(f"line filter {op}")
        self.take()
        texts = [self._filter_text()]
        while self.accept("or"):
            texts.append(self._filter_text())
        try:
            return LineFilter(FilterOp(op), tuple(texts))
        except RegexError as error:
            raise LogQLError.at(0, 0, str(error)) from None

    def _filter_text(self) -> str:
        if self.token.kind == "ip":
            self.unsupported("ip()")
        return self.expect(Kind.STRING, hint=(Kind.STRING, "ip")).value

    def _label_stage(self) -> Stage:
        kind = self.token.kind
        if kind == "drop":
            return self._drop()
        if kind != Kind.IDENTIFIER:
            if kind.islower() or kind == "(":
                self.unsupported(f"| {kind}")
            self.unexpected()
        return LabelFilter(self._label_filter())

    def _drop(self) -> DropLabels:
        self.take()
        names = [self._dropped_name()]
        while self.accept(","):
            names.append(self._dropped_name())
        return DropLabels(tuple(names))

    def _dropped_name(self) -> str:
        name = self.identifier(Kind.IDENTIFIER)
        if self.token.kind in _MATCH_OPS:
            self.unsupported("a condition in drop")
        return name

    def _label_filter(self) -> Matcher:
        if self.ahead(1) in _COMPARISONS or self.ahead(2) in _NO_STRINGS:
            self.unsupported("a numeric label filter")
        matcher = self._matcher()
        if self.token.kind in {"and", "or", ",", "(", Kind.IDENTIFIER}:
            self.unsupported("a compound label filter")
        return matcher
