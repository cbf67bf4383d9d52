"""Parse the stages of a query: parsers, conditions on labels, formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from exporters.toolkit.regex import RegexError
from shipper.logql.captures import PatternParser, RegexpParser
from shipper.logql.conditions import (
    AddressCondition,
    Comparison,
    Compound,
    Condition,
    LabelCondition,
    TextCondition,
)
from shipper.logql.errors import LogQLError
from shipper.logql.json_fields import JSONFields, UnpackParser
from shipper.logql.json_stage import JSONParser
from shipper.logql.lexer import Kind
from shipper.logql.logfmt_stage import LogfmtParser
from shipper.logql.logs import DropLabels, LabelFilter, Matcher, Stage, quote
from shipper.logql.selectors import SelectorParser
from shipper.logql.shaping import (
    Decolorize,
    KeepLabels,
    LabelFormat,
    LineFormat,
)
from shipper.logql.simple_template import SimpleTemplate
from shipper.logql.sizes import parse_size
from shipper.logql.text_filters import AddressFilter, PatternFilter


T = TypeVar("T")

_COMPARED: Final = ("=", "==", "!=", ">", ">=", "<", "<=")
_MATCHED: Final = frozenset({"=", "!=", "=~", "!~"})
_VALUES: Final = (Kind.STRING, Kind.NUMBER, Kind.DURATION, Kind.BYTES, "ip")
_TIES: Final = {"or": 1, "and": 2}


def _made(what: str, make: Callable[[], T]) -> T:
    """Return what *make* makes; its error is one of the query."""
    try:
        return make()
    except (RegexError, ValueError) as error:
        text = f"{what}{error}"
        raise LogQLError.at(0, 0, text) from None


class StageParser(SelectorParser):
    """Reads everything that stands behind a selector, up to ``| unwrap``."""

    def stages(self) -> tuple[Stage, ...]:
        """Parse stages, none or many."""
        found: list[Stage] = []
        while True:
            if self.token.kind in {"|>", "!>"}:
                found.append(self._pattern_filter())
            elif self.token.kind in {"|=", "!="} and self.ahead(1) == "ip":
                found.append(self._address_filter())
            elif self.token.kind in {"|=", "|~", "!=", "!~"}:
                found.append(self._line_filter())
            elif self.token.kind == "|" and self.ahead(1) != "unwrap":
                self.take()
                found.append(self._stage())
            else:
                return tuple(found)

    def _pattern_filter(self) -> PatternFilter:
        op = self.take().kind
        texts = [self._filter_text()]
        while self.accept("or"):
            texts.append(self._filter_text())
        shown = f"{op} " + " or ".join(map(quote, texts))
        what = f"stage '{shown}' : "
        return _made(what, lambda: PatternFilter(op, tuple(texts)))

    def _address_filter(self) -> AddressFilter:
        op = self.take().kind
        pattern = self._address()
        if self.token.kind == "or":
            self.unsupported("ip() with or")
        what = f"stage '{op} ip({quote(pattern)})' : "
        return _made(what, lambda: AddressFilter(op, pattern))

    def _address(self) -> str:
        self.take()
        self.expect("(", hint=("(",))
        pattern = self._string()
        self.expect(")", hint=(")",))
        return pattern

    def _string(self) -> str:
        return self.expect(Kind.STRING, hint=(Kind.STRING,)).value

    def _stage(self) -> Stage:
        readers: dict[str, Callable[[], Stage]] = {
            "json": self._json,
            "logfmt": self._logfmt,
            "regexp": self._regexp,
            "pattern": self._pattern,
            "unpack": UnpackParser,
            "drop": lambda: DropLabels(self._names()),
            "keep": lambda: KeepLabels(self._names()),
            "decolorize": Decolorize,
            "line_format": self._line_format,
            "label_format": self._label_format,
        }
        read = readers.get(self.token.kind)
        if read is None:
            return self._condition_stage()
        self.take()
        return read()

    def _json(self) -> Stage:
        if self.token.kind != Kind.IDENTIFIER:
            return JSONParser()
        fields = self._fields()
        return _made("stage '| json' : ", lambda: JSONFields(fields))

    def _logfmt(self) -> Stage:
        flags: set[str] = set()
        while flag := self.accept("PARSER_FLAG"):
            flags.add(flag.value)
        fields = self._fields() if self.token.kind == Kind.IDENTIFIER else ()
        strict, keep_empty = "--strict" in flags, "--keep-empty" in flags
        return LogfmtParser(fields, strict, keep_empty)

    def _fields(self) -> tuple[tuple[str, str], ...]:
        fields: list[tuple[str, str]] = []
        while True:
            name = self.identifier(Kind.IDENTIFIER)
            fields.append((name, self._string() if self.accept("=") else name))
            if not self.accept(","):
                return tuple(fields)

    def _regexp(self) -> Stage:
        text = self._string()
        return _made("invalid regexp parser: ", lambda: RegexpParser(text))

    def _pattern(self) -> Stage:
        text = self._string()
        return _made("invalid pattern parser: ", lambda: PatternParser(text))

    def _names(self) -> tuple[str | Matcher, ...]:
        names: list[str | Matcher] = []
        while True:
            if self.token.kind == Kind.IDENTIFIER and self.ahead(1) in _MATCHED:
                names.append(self._matcher())
            else:
                names.append(self.identifier(Kind.IDENTIFIER))
            if not self.accept(","):
                return tuple(names)

    def _template(self) -> SimpleTemplate:
        text = self._string()
        try:
            return SimpleTemplate(text)
        except ValueError as error:
            self.unsupported(str(error))

    def _line_format(self) -> Stage:
        return LineFormat(self._template())

    def _label_format(self) -> Stage:
        formats: list[tuple[str, str | SimpleTemplate]] = []
        while True:
            name = self.identifier(Kind.IDENTIFIER)
            self.expect("=", hint=("=",))
            renamed = self.accept(Kind.IDENTIFIER)
            formats.append((name, renamed.value if renamed else self._template()))
            if not self.accept(","):
                break
        made = tuple(formats)
        shown = ",".join(f"{name}={source}" for name, source in made)
        what = f"stage '| label_format {shown}' : "
        return _made(what, lambda: LabelFormat(made))

    def _condition_stage(self) -> Stage:
        condition = self.condition()
        if isinstance(condition, TextCondition):
            return condition.filter
        return LabelCondition(condition)

    def condition(self, weakest: int = 0) -> Condition:
        """Parse a condition on labels whose parts are tied tighter than *weakest*.

        A comma, or nothing between two parts, takes in all that follows.
        """
        left = self._condition_part()
        while True:
            kind = self.token.kind
            if kind == "," or kind in {Kind.IDENTIFIER, "("}:
                self.accept(",")
                with self.nested():
                    left = Compound(left, self.condition())
            elif _TIES.get(kind, 0) > weakest:
                self.take()
                with self.nested():
                    right = self.condition(_TIES[kind])
                left = Compound(left, right, either=kind == "or")
            else:
                return left

    def _condition_part(self) -> Condition:
        if self.accept("("):
            with self.nested():
                inside = self.condition()
            self.expect(")")
            return inside
        if self.ahead(1) in {"=~", "!~"} or self.ahead(2) == Kind.STRING:
            return TextCondition(LabelFilter(self._matcher()))
        name = self.identifier()
        op = self.expect(*_COMPARED).kind
        if self.token.kind == "ip" and op in {"=", "!="}:
            pattern = self._address()
            what = f"stage '| {name}{op}ip({quote(pattern)})' : "
            return _made(what, lambda: AddressCondition(name, op, pattern))
        return self._comparison(name, "==" if op == "=" else op)

    def _comparison(self, name: str, op: str) -> Comparison:
        sign = self.accept("+", "-")
        kinds = (Kind.NUMBER,) if sign else _VALUES[1:4]
        token = self.expect(*kinds)
        text = f"-{token.value}" if sign and sign.kind == "-" else token.value
        if token.kind == Kind.BYTES:
            value = float(_made("", lambda: parse_size(text)))
        elif token.kind == Kind.DURATION:
            value, text = float(int(text)), f"{text}ns"
        else:
            value = _made("unable to parse literal as a float: ", lambda: float(text))
        return Comparison(name, op, value, token.kind, text)
