"""Range aggregations whose lines go through stages in Python.

Counts are kept per piece of time, so memory does not grow with the lines; values that
`unwrap` takes out are kept as two machine words each.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

from shipper.logql import Grouping, LogQuery, MatchOp, RangeAggregation
from shipper.logql.extract import Extractor, Sample
from shipper.logql.line import ERROR, PRESERVE_ERROR, Labels
from shipper.store.query.plan import stages_of
from shipper.store.query.points import Pieces, Points
from shipper.store.query.select import (
    FoundStream,
    Where,
    streams,
    unpacked,
    where,
)
from shipper.store.query.steps import Series, Steps
from shipper.store.query.windows import Function, function_of
from shipper.store.reader import Guard
from shipper.wire.errors import Answer


MAX_HELD: Final = 20_000_000
"""Values of one range aggregation: about 320 MB."""

_CHECK_EVERY: Final = 1000
_ADDED: Final = frozenset(
    {"count_over_time", "rate", "bytes_over_time", "bytes_rate", "absent_over_time"}
)


class ParsedRange:
    """Evaluates one aggregation for *tenant* at *steps*, until *guard* ends it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        guard: Guard,
        tenant: str,
        steps: Steps,
    ) -> None:
        self._connection = connection
        self._guard = guard
        self._tenant = tenant
        self._steps = steps
        self._held = 0

    def run(
        self, aggregation: RangeAggregation, outer: Grouping | None = None
    ) -> Iterator[Series]:
        """Yield the series that have a value. Raises Answer 400 and 504.

        *outer* is the grouping of a ``sum`` around that comes down.
        """
        added = aggregation.op in _ADDED and aggregation.unwrap is None
        found: dict[Labels, Points]
        if added:
            pieces = self._pieces(aggregation, outer)
            found = {labels: one.points() for labels, one in pieces.items()}
        else:
            found = self._points(aggregation, outer)
        if aggregation.op == "absent_over_time":
            yield from self._absent(aggregation, found)
            return
        evaluate = self._sums if added else self._windows
        for labels, points in found.items():
            self._guard.check()
            points.sort()
            if values := evaluate(points, aggregation):
                _refuse_errors(labels)
                yield Series(labels, values)

    def _pieces(
        self, aggregation: RangeAggregation, outer: Grouping | None
    ) -> dict[Labels, Pieces]:
        width = self._steps.piece(aggregation.range_ns)
        origin = self._steps.start - aggregation.offset_ns - aggregation.range_ns
        found: dict[Labels, Pieces] = {}
        for time, (labels, value) in self._samples(aggregation, outer):
            pieces = found.get(labels)
            if pieces is None:
                pieces = found[labels] = Pieces()
            end = origin - (origin - time) // width * width
            if end not in pieces.sums:
                self._hold()
                pieces.sums[end] = value
            else:
                pieces.sums[end] += value
        return found

    def _points(
        self, aggregation: RangeAggregation, outer: Grouping | None
    ) -> dict[Labels, Points]:
        found: dict[Labels, Points] = {}
        for time, (labels, value) in self._samples(aggregation, outer):
            points = found.get(labels)
            if points is None:
                points = found[labels] = Points()
            self._hold()
            points.add(time, value)
        return found

    def _hold(self) -> None:
        self._held += 1
        if self._held > MAX_HELD:
            text = (
                f"the query would hold more than {MAX_HELD} values; reduce the time "
                "range or add more label matchers and filters"
            )
            raise Answer(400, text)

    def _samples(
        self, aggregation: RangeAggregation, outer: Grouping | None
    ) -> Iterator[tuple[int, Sample]]:
        query = aggregation.query
        condition = where(self._connection, query)
        extractor = Extractor(aggregation, stages_of(query), outer)
        for stream in streams(self._connection, self._tenant, query.selector):
            sample = extractor.stream(dict(stream.labels))
            rows = self._rows(stream, aggregation, condition)
            yield from self._sampled(rows, sample)

    def _sampled(
        self,
        rows: sqlite3.Cursor,
        sample: Callable[[int, bytes, Labels], Sample | None],
    ) -> Iterator[tuple[int, Sample]]:
        while batch := rows.fetchmany(_CHECK_EVERY):
            self._guard.check()
            for time, line, metadata in batch:
                found = sample(time, line, unpacked(metadata))
                if found is not None:
                    yield time, found

    def _rows(
        self, stream: FoundStream, aggregation: RangeAggregation, condition: Where
    ) -> sqlite3.Cursor:
        offset = aggregation.offset_ns
        begin = self._steps.start - offset - aggregation.range_ns
        last = self._steps.times()[-1] - offset
        return self._connection.execute(
            "SELECT ts, line, metadata FROM entries"  # noqa: S608 -- our own words
            f" WHERE stream = ? AND ts > ? AND ts <= ?{condition.sql}"
            " ORDER BY ts, seq",
            (stream.id, begin, last, *condition.values),
        )

    def _sums(self, points: Points, aggregation: RangeAggregation) -> dict[int, float]:
        seconds = aggregation.range_ns / 1e9 if "rate" in aggregation.op else 1.0
        totals = list(accumulate(points.values, initial=0.0))
        values: dict[int, float] = {}
        for number, first, last in self._spans(points, aggregation):
            values[number] = (totals[last] - totals[first]) / seconds
        return values

    def _windows(
        self, points: Points, aggregation: RangeAggregation
    ) -> dict[int, float]:
        function: Function = function_of(aggregation)
        values: dict[int, float] = {}
        for number, first, last in self._spans(points, aggregation):
            self._guard.check()
            window = slice(first, last)
            values[number] = function(points.times[window], points.values[window])
        return values

    def _spans(
        self, points: Points, aggregation: RangeAggregation
    ) -> Iterator[tuple[int, int, int]]:
        """Yield the steps that have values, and which."""
        for number, time in enumerate(self._steps.times()):
            upto = time - aggregation.offset_ns
            first = bisect_right(points.times, upto - aggregation.range_ns)
            last = bisect_right(points.times, upto)
            if first < last:
                yield number, first, last

    def _absent(
        self, aggregation: RangeAggregation, found: dict[Labels, Points]
    ) -> Iterator[Series]:
        present: set[int] = set()
        for labels, points in found.items():
            points.sort()
            there = {span[0] for span in self._spans(points, aggregation)}
            if there:
                _refuse_errors(labels)
            present |= there
        numbers = range(len(self._steps.times()))
        values = {number: 1.0 for number in numbers if number not in present}
        if values:
            yield Series(_absent_labels(aggregation.query), values)


def _absent_labels(query: LogQuery) -> Labels:
    labels: dict[str, str] = {}
    unclear: set[str] = set()
    for matcher in query.selector.matchers:
        if matcher.op is MatchOp.EQUAL and matcher.name not in labels:
            labels[matcher.name] = matcher.value
        else:
            unclear.add(matcher.name)
    return tuple(sorted(p for p in labels.items() if p[0] not in unclear and p[1]))


def _refuse_errors(labels: Labels) -> None:
    """Raise Answer 400 for a series of lines that a stage failed on."""
    found = dict(labels)
    if ERROR not in found or found.get(PRESERVE_ERROR) == "true":
        return
    shown = ", ".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in labels)
    error = found[ERROR]
    raise Answer(
        400,
        f"pipeline error: '{error}' for series: '{{{shown}}}'.\n"
        "Use a label filter to intentionally skip this error. "
        f'(e.g | __error__!="{error}").\n'
        "To skip all potential errors you can match empty errors."
        '(e.g __error__="")\n'
        "The label filter can also be specified after unwrap. "
        '(e.g | unwrap latency | __error__="" )\n',
    )
