"""What a log query says about labels and lines: selector, filters, label stages.

Every node prints itself as LogQL (``str(node)``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from exporters.toolkit.regex import Regex


class MatchOp(StrEnum):
    """How a label is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


class FilterOp(StrEnum):
    """How a line is filtered."""

    CONTAINS = "|="
    NOT_CONTAINS = "!="
    REGEX = "|~"
    NOT_REGEX = "!~"


def quote(text: str) -> str:
    """Return *text* as a LogQL string."""
    return json.dumps(text, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; a missing label has the value "".

    A regular expression has to match the whole value. Raises RegexError.
    """

    name: str
    op: MatchOp
    value: str
    _test: Callable[[str], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_test", _label_test(self.op, self.value))

    def matches(self, value: str) -> bool:
        """Say whether the label's *value* meets the condition."""
        return self._test(value)

    def __str__(self) -> str:
        return f"{self.name}{self.op}{quote(self.value)}"


def _label_test(op: MatchOp, wanted: str) -> Callable[[str], bool]:
    if op is MatchOp.EQUAL:
        return wanted.__eq__
    if op is MatchOp.NOT_EQUAL:
        return wanted.__ne__
    Regex(wanted)  # so that an error shows the pattern as written
    # Prometheus' matchers let . match newlines (labels.NewFastRegexMatcher).
    pattern = Regex(f"(?s:{wanted})")
    if op is MatchOp.REGEX:
        return pattern.matches
    return lambda value: not pattern.matches(value)


@dataclass(frozen=True, slots=True)
class Selector:
    """The streams a query is about: all conditions hold."""

    matchers: tuple[Matcher, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether a stream with *labels* is selected."""
        # A loop: all() over a generator costs twice as much for one matcher.
        for matcher in self.matchers:
            if not matcher.matches(labels.get(matcher.name, "")):
                return False
        return True

    @property
    def is_bounded(self) -> bool:
        """Say whether some matcher demands a label; Loki refuses a query without."""
        return any(not matcher.matches("") for matcher in self.matchers)

    def __str__(self) -> str:
        return "{" + ", ".join(map(str, self.matchers)) + "}"


@dataclass(frozen=True, slots=True)
class LineFilter:
    """A condition on the line: one of *texts* is in it, or none for a negation.

    ``matches(line)`` says whether a line passes.

    Regular expressions match anywhere in the line. Raises RegexError.
    """

    op: FilterOp
    texts: tuple[str, ...]
    matches: Callable[[bytes], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Built once: a store asks this of every line it scans.
        test = _any_test([_line_test(self.op, text) for text in self.texts])
        negated = self.is_negative
        object.__setattr__(
            self, "matches", (lambda line: not test(line)) if negated else test
        )

    @property
    def is_negative(self) -> bool:
        """Say whether matching lines are the ones left out."""
        return self.op in {FilterOp.NOT_CONTAINS, FilterOp.NOT_REGEX}

    def __str__(self) -> str:
        return f"{self.op} " + " or ".join(map(quote, self.texts))


def _any_test(tests: list[Callable[[bytes], bool]]) -> Callable[[bytes], bool]:
    if len(tests) == 1:
        return tests[0]
    return lambda line: any(test(line) for test in tests)


def _line_test(op: FilterOp, text: str) -> Callable[[bytes], bool]:
    if op in {FilterOp.REGEX, FilterOp.NOT_REGEX}:
        return Regex(text).search
    needle = text.encode("utf-8", "surrogateescape")
    return lambda line: needle in line


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """``| level="error"``: a condition on a label after the selection."""

    matcher: Matcher

    def __str__(self) -> str:
        return f"| {self.matcher}"


@dataclass(frozen=True, slots=True)
class DropLabels:
    """``| drop a, b="c"``: labels taken off, some only with a value."""

    names: tuple[str | Matcher, ...]

    def __str__(self) -> str:
        return "| drop " + ", ".join(map(str, self.names))


class TextFilter(Protocol):
    """Another condition on the line (patterns, addresses)."""

    def matches(self, text: bytes, /) -> bool:
        """Say whether a line passes."""


class OtherStage(Protocol):
    """A parser, a condition on labels or a format."""

    def step(self) -> Callable[[Any], bool]:
        """Return what changes, keeps or drops the lines of one stream."""


Stage: TypeAlias = LineFilter | LabelFilter | DropLabels | TextFilter | OtherStage


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A selector and what its lines go through, in order."""

    selector: Selector
    stages: tuple[Stage, ...] = ()

    @property
    def line_filters(self) -> tuple[LineFilter, ...]:
        """Return the filters that look at the line alone."""
        return tuple(s for s in self.stages if isinstance(s, LineFilter))

    def __str__(self) -> str:
        return " ".join(map(str, (self.selector, *self.stages)))
