"""Samples out of lines (Loki pkg/logql/syntax/extractor.go, log/metrics_extraction.go).

What a ``sum`` around asks for comes down to the parsers, which then look for no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from exporters.toolkit.duration import parse_nanoseconds
from exporters.toolkit.gotext import parse_float
from shipper.logql.ast import Grouping, RangeAggregation
from shipper.logql.line import DUPLICATE, Hints, Labels, Line, as_labels
from shipper.logql.logs import Stage
from shipper.logql.pipeline import (
    StreamPipeline,
    conditions,
    first_conditions,
    read_by_formats,
)
from shipper.logql.sizes import parse_size


_SUMMED: Final = frozenset(
    {"count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time"}
)
_SAMPLE_ERROR: Final = "SampleExtractionErr"
_CONVERSIONS: Final[Mapping[str, Callable[[str], float]]] = {
    "": parse_float,
    "bytes": parse_size,
    "duration": lambda text: parse_nanoseconds(text) / 1e9,
    "duration_seconds": lambda text: parse_nanoseconds(text) / 1e9,
}


class Sample(NamedTuple):
    """What one line counts, and for which series."""

    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Groups:
    """The labels of a series: *names* of them, or all without *names*."""

    names: tuple[str, ...] = ()
    without: bool = False
    no_labels: bool = False

    def of(self, line: Line) -> Labels:
        """Return the labels of the series of *line*; an error keeps them all."""
        if line.error:
            return line.sorted_labels()
        if self.no_labels:
            return ()
        values = line.values
        if not self.names:
            return line.sorted_labels()
        if self.without:
            return as_labels(p for p in values.items() if p[0] not in self.names)
        gone = line.deleted
        # Sorted as the names are; only here an empty label stays one, as in Loki.
        return tuple(
            (n, values[n]) for n in self.names if n in values and n not in gone
        )


def pushed_down(aggregation: RangeAggregation) -> bool:
    """Say whether the grouping of a ``sum`` around *aggregation* comes down to it."""
    return aggregation.grouping is None and aggregation.op in _SUMMED


class Extractor:
    """Makes samples out of lines; *stages* are those that are still to run.

    *outer* is the grouping of a ``sum`` around, if it comes down.
    """

    def __init__(
        self,
        aggregation: RangeAggregation,
        stages: Iterable[Stage],
        outer: Grouping | None = None,
    ) -> None:
        self._stages = list(stages)
        self._unwrap = aggregation.unwrap
        self._counts_bytes = aggregation.op.startswith("bytes")
        self._groups = _groups(aggregation, outer)
        self._hints = _hints(aggregation, self._stages, self._groups)

    def stream(
        self, base: Mapping[str, str]
    ) -> Callable[[int, bytes, Labels], Sample | None]:
        """Return what makes samples of the lines of a stream with the labels *base*."""
        process = StreamPipeline(self._stages, base, self._hints).process
        unwrap, groups, counts_bytes = self._unwrap, self._groups, self._counts_bytes
        if unwrap is not None:
            read = _CONVERSIONS[unwrap.conversion]

        def sample(timestamp: int, text: bytes, metadata: Labels) -> Sample | None:
            line = process(timestamp, text, metadata)
            if line is None:
                return None
            if unwrap is None:
                value = float(len(line.text)) if counts_bytes else 1.0
                return Sample(groups.of(line), value)
            text_value = line.values.get(unwrap.label)
            if not text_value:
                return None
            value = _converted(text_value, read, line)
            if not all(one.test(line) for one in unwrap.filters):
                return None
            return Sample(groups.of(line), value)

        return sample


def _converted(text: str, read: Callable[[str], float], line: Line) -> float:
    try:
        return float(read(text))
    except ValueError as error:
        line.error, line.details = _SAMPLE_ERROR, str(error)
        return 0.0


def _groups(aggregation: RangeAggregation, outer: Grouping | None) -> Groups:
    grouping = outer if outer is not None else aggregation.grouping
    names = tuple(sorted(set(grouping.names))) if grouping else ()
    without = grouping is not None and grouping.without
    no_labels = grouping is not None and not names and not without
    no_labels |= aggregation.op == "absent_over_time"
    if aggregation.unwrap is not None and (not names or without):
        names, without = (*names, aggregation.unwrap.label), True
    return Groups(names, without, no_labels)


def _hints(
    aggregation: RangeAggregation, stages: Sequence[Stage], groups: Groups
) -> Hints:
    """Return what parsers need to look for (log/parser_hints.go NewParserHint)."""
    unwrap = aggregation.unwrap
    filters = conditions(stages)
    # Those behind unwrap are one condition; only a simple one is asked early.
    early = first_conditions(filters)
    if unwrap is not None:
        filters += unwrap.filters
        early = first_conditions(filters) if len(unwrap.filters) == 1 else early
    names = [name for one in filters for name in one.names] + [*groups.names]
    names += read_by_formats(stages) + ([unwrap.label] if unwrap else [])
    names += [n.removesuffix(DUPLICATE) for n in names if n.endswith(DUPLICATE)]
    required = frozenset(name for name in names if name)
    if groups.no_labels:
        return Hints(required, early=early) if required else Hints(no_labels=True)
    if groups.without or not groups.names:
        return Hints(early=early)
    return Hints(required)
