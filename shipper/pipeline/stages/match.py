"""``match``: stages for some lines only, or the end for them (stages/match.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from exporters.toolkit.decode import Problem
from shipper.logql import FilterOp, LineFilter, LogQLError, Selector
from shipper.logql.lexer import Kind, Token, tokenize
from shipper.logql.selectors import SelectorParser
from shipper.pipeline.labelset import LabelSet, Memo
from shipper.pipeline.pipeline import assemble, chain
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Emit, Filter, Stage, Workshop
from shipper.pipeline.stages import StageEntry
from shipper.pipeline.text import to_bytes


_MATCH_OPS = frozenset({"=", "!=", "=~", "!~"})
_PATTERNS = frozenset({FilterOp.REGEX, FilterOp.NOT_REGEX})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Which lines, and what becomes of them.

    *pipeline_name* has no effect, as in promtail, whose metrics lost it long ago.
    """

    selector: str = ""
    stages: tuple[StageEntry, ...] = ()
    action: str = ""
    pipeline_name: str | None = None
    drop_counter_reason: str = ""

    def problems(self) -> Iterator[Problem]:
        if self.pipeline_name == "":
            text = (
                "match stage pipeline name can be omitted but cannot be an empty string"
            )
            yield Problem(text, ("pipeline_name",))
        yield from self._action_problems()
        if not self.selector:
            yield Problem("selector statement required for match stage", ("selector",))
            return
        try:
            parse_match(self.selector)
        except LogQLError as error:
            text = f"invalid selector syntax for match stage: {error}"
            yield Problem(text, ("selector",))

    def _action_problems(self) -> Iterator[Problem]:
        if self.action not in {"", "keep", "drop"}:
            text = "match stage action should be 'keep' or 'drop'"
            yield Problem(text, ("action",))
        elif self.action == "drop" and self.stages:
            text = "match stage configured to drop entries cannot contains stages"
            yield Problem(text, ("stages",))
        elif self.action != "drop" and not self.stages:
            yield Problem(
                "match stage requires at least one additional stage to be defined in "
                "'- stages'",
                ("stages",),
            )

    def build(self, workshop: Workshop) -> Stage:
        """Return the stage, those inside it included."""
        matches = parse_match(self.selector)
        if self.action != "drop":
            return Keep(matches, assemble(self.stages, workshop))
        reason = self.drop_counter_reason or "match_stage"
        return Drop(matches, partial(workshop.meters.dropped, reason))


Matches = Callable[[Record], bool]


class Keep:
    """Sends what matches through stages of its own; the rest passes beside them."""

    def __init__(self, matches: Matches, stages: list[Stage]) -> None:
        self._matches = matches
        self._stages = stages

    def wrap(self, emit: Emit) -> Emit:
        """Put the stages in front of *emit*."""
        matches, inside = self._matches, chain(self._stages, emit)

        def step(record: Record) -> None:
            (inside if matches(record) else emit)(record)

        return step


class Drop(Filter):
    """Drops what matches."""

    def __init__(self, matches: Matches, count: Callable[[], None]) -> None:
        self._matches = matches
        self._count = count

    def apply(self, record: Record) -> bool:
        """Say whether *record* stays, having counted it if it does not."""
        if self._matches(record):
            self._count()
            return False
        return True


def parse_match(text: str) -> Matches:
    """Return what tests records by ``{label="value"} |= "text"``.

    Label matchers, then line filters, are all that promtail knows here; unlike in a
    query, a selector may be one that every stream meets. Raises LogQLError.
    """
    parser = SelectorParser(_named(tokenize(text)))
    if parser.token.kind == "{" and parser.ahead(1) == "}":
        parser.take()
        parser.unexpected(Kind.IDENTIFIER)
    selector = parser.selector()
    stages = parser.stages()
    parser.expect(Kind.END)
    filters = tuple(stage for stage in stages if isinstance(stage, LineFilter))
    if len(filters) < len(stages):
        raise LogQLError("expected nothing but line filters (|= != |~ !~) behind it")
    return _test(selector, filters)


def _named(tokens: list[Token]) -> list[Token]:
    """Let words that are something in a query be names of labels: ``{ip="::1"}``."""
    return [
        token._replace(kind=Kind.IDENTIFIER)
        if following.kind in _MATCH_OPS and token.kind.islower()
        else token
        for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True)
    ]


def _test(selector: Selector, filters: tuple[LineFilter, ...]) -> Matches:
    selected: Memo[LabelSet, bool] = Memo()
    tests = [_line_test(one) for one in filters]

    def matches(record: Record) -> bool:
        labels = record.labels
        wanted = selected.get(labels)
        if wanted is None:
            wanted = selector.matches(labels.values)
            selected.remember(labels, wanted, labels.size)
        if wanted:
            for test in tests:
                if not test(record.line):
                    return False
        return wanted

    return matches


def _line_test(one: LineFilter) -> Callable[[str], bool]:
    """Return the test of *one*, without making bytes of a line that is looked through.

    Plain ASCII stands in the text where it stands in the bytes.
    """
    [text, *others] = one.texts
    if others or not text.isascii() or one.op in _PATTERNS:
        return lambda line: one.matches(to_bytes(line))
    if one.is_negative:
        return lambda line: text not in line
    return lambda line: text in line
