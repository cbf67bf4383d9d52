"""Run a query's stages over the lines of a stream (Loki pkg/logql/log/pipeline.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias, TypeGuard

from shipper.logql.captures import PatternParser, RegexpParser
from shipper.logql.conditions import (
    Compound,
    Condition,
    LabelCondition,
    TextCondition,
)
from shipper.logql.json_fields import JSONFields, UnpackParser
from shipper.logql.json_stage import JSONParser
from shipper.logql.line import Hints, Labels, Line
from shipper.logql.logfmt_stage import LogfmtParser
from shipper.logql.logs import (
    DropLabels,
    LabelFilter,
    LineFilter,
    Stage,
)
from shipper.logql.shaping import (
    Decolorize,
    LabelFormat,
    LineFormat,
    drop,
)
from shipper.logql.text_filters import AddressFilter, PatternFilter


Step: TypeAlias = Callable[[Line], bool]
AnyLineFilter: TypeAlias = LineFilter | PatternFilter | AddressFilter

_LINE_FILTERS: Final = (LineFilter, PatternFilter, AddressFilter)
_REWRITES: Final = (LineFormat, UnpackParser)
PARSERS: Final = (
    JSONParser,
    JSONFields,
    LogfmtParser,
    PatternParser,
    RegexpParser,
    UnpackParser,
)


def is_line_filter(stage: Stage) -> TypeGuard[AnyLineFilter]:
    """Say whether *stage* asks for the text of the line alone."""
    return isinstance(stage, _LINE_FILTERS)


def reordered(stages: Sequence[Stage]) -> list[Stage]:
    """Return *stages* in the order Loki runs them in.

    Filters of the line go to the front, but not over a condition on labels, nor over
    ``line_format`` or ``unpack``. (They do go over ``decolorize``.)
    """
    result: list[Stage] = []
    filters: list[Stage] = []
    others: list[Stage] = []
    for stage in stages:
        if is_line_filter(stage):
            filters.append(stage)
            continue
        conditional = isinstance(stage, LabelFilter | LabelCondition)
        if not conditional:
            others.append(stage)
        if conditional or isinstance(stage, _REWRITES):
            result += filters + others
            filters, others = [], []
        if conditional:
            result.append(stage)
    return result + filters + others


def split_first(stages: Sequence[Stage]) -> tuple[list[AnyLineFilter], list[Stage]]:
    """Return the filters that see the stored text, and the stages after them."""
    first: list[AnyLineFilter] = []
    rest: list[Stage] = []
    changed = False
    for stage in reordered(stages):
        if is_line_filter(stage) and not changed:
            first.append(stage)
        else:
            rest.append(stage)
        changed |= isinstance(stage, (*_REWRITES, Decolorize))
    return first, rest


def read_by_formats(stages: Iterable[Stage]) -> list[str]:
    """Return the labels that formats among *stages* read."""
    names: list[str] = []
    for stage in stages:
        if isinstance(stage, LabelFormat):
            names += stage.names
        elif isinstance(stage, LineFormat):
            names += stage.template.names
    return names


def conditions(stages: Iterable[Stage]) -> list[Condition]:
    """Return the conditions on labels among *stages*."""
    found: list[Condition] = []
    for stage in stages:
        if isinstance(stage, LabelCondition):
            found.append(stage.condition)
        elif isinstance(stage, LabelFilter):
            found.append(TextCondition(stage))
    return found


def first_conditions(found: Iterable[Condition]) -> dict[str, Condition]:
    """Return the first simple one of the conditions on each label.

    Loki asks it as soon as a parser finds the label, and drops the line.
    """
    first: dict[str, Condition] = {}
    for one in found:
        if not isinstance(one, Compound):
            first.setdefault(one.names[0], one)
    return first


class StreamPipeline:
    """Takes the lines of one stream with the labels *base* through *stages*."""

    def __init__(
        self,
        stages: Iterable[Stage],
        base: Mapping[str, str],
        hints: Hints | None = None,
    ) -> None:
        stages = list(stages)
        self._steps = [step_of(stage) for stage in stages]
        if hints is None:
            hints = Hints(early=first_conditions(conditions(stages)))
        self._line = Line(base, hints)

    def process(self, timestamp: int, text: bytes, metadata: Labels) -> Line | None:
        """Return the line as it comes out, None if it is left out.

        The same object comes out each time.
        """
        line = self._line
        line.begin(timestamp, text, metadata)
        for step in self._steps:
            if not step(line):
                return None
        return line


def step_of(stage: Stage) -> Step:
    """Return what *stage* does to each line of one stream."""
    if is_line_filter(stage):
        matches = stage.matches
        return lambda line: matches(line.text)
    if isinstance(stage, LabelFilter):
        return partial(_passes, stage)
    if isinstance(stage, DropLabels):
        return partial(drop, stage)
    assert not isinstance(stage, _LINE_FILTERS)
    return stage.step()  # type: ignore[union-attr]  # the filters are out


def _passes(stage: LabelFilter, line: Line) -> bool:
    return stage.matcher.matches(line.get(stage.matcher.name))
