"""Range aggregations: lines counted per series and step.

A window is (t - range, t], t - offset with an offset, as in pkg/logql/range_vector.go.
SQLite counts lines and bytes per piece of the common divisor of step and range; Python
adds pieces up, so memory does not grow with the number of lines.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from shipper.logql import RangeAggregation
from shipper.pipeline.entry import Labels
from shipper.store.query.plan import shown, stages_of
from shipper.store.query.select import FoundStream, Where, merged, streams, where
from shipper.store.query.steps import Series, Steps
from shipper.store.reader import Guard
from shipper.wire.model import SECOND_NS


class _Pieces(NamedTuple):
    """Lines and bytes up to the end of each piece (running totals)."""

    ends: list[int]
    lines: list[int]
    sizes: list[int]


def run(
    connection: sqlite3.Connection,
    guard: Guard,
    tenant: str,
    aggregation: RangeAggregation,
    steps: Steps,
) -> Iterator[Series]:
    """Yield the series of *aggregation* that have a value at one of *steps*.

    Raises Answer 504 when *guard* says the time is over.
    """
    found = _series(connection, guard, tenant, aggregation, steps)
    if not stages_of(aggregation.query):
        yield from found
        return
    together: dict[Labels, dict[int, float]] = {}  # a dropped label may unite some
    for labels, values in found:
        kept = shown(aggregation.query, labels)
        if kept is not None:
            united = together.setdefault(kept, {})
            for number, value in values.items():
                united[number] = united.get(number, 0.0) + value
    for labels, values in together.items():
        yield Series(labels, values)


def _series(
    connection: sqlite3.Connection,
    guard: Guard,
    tenant: str,
    aggregation: RangeAggregation,
    steps: Steps,
) -> Iterator[Series]:
    query = aggregation.query
    condition = where(connection, query)
    for stream in streams(connection, tenant, query.selector):
        for labels, pieces in _pieces(
            connection, stream, aggregation, condition, steps
        ):
            guard.check()
            if values := _windows(pieces, aggregation, steps):
                yield Series(labels, values)


def _pieces(
    connection: sqlite3.Connection,
    stream: FoundStream,
    query: RangeAggregation,
    condition: Where,
    steps: Steps,
) -> Iterator[tuple[Labels, _Pieces]]:
    """Yield the pieces of *stream*, apart per set of structured metadata."""
    width = steps.piece(query.range_ns)
    origin = steps.start - query.offset_ns - query.range_ns
    last = steps.times()[-1] - query.offset_ns
    rows = connection.execute(
        "SELECT metadata, (ts - ? - 1) / ? AS piece, COUNT(*), SUM(LENGTH(line))"  # noqa: S608 -- our own words
        " FROM entries"
        f" WHERE stream = ? AND ts > ? AND ts <= ?{condition.sql}"
        " GROUP BY metadata, piece ORDER BY metadata, piece",
        (origin, width, stream.id, origin, last, *condition.values),
    )
    found: dict[str | None, list[tuple[int, int, int]]] = {}
    for metadata, piece, lines, size in rows:
        found.setdefault(metadata, []).append((piece, lines, size))
    for metadata, counted in found.items():
        ends = [origin + (piece + 1) * width for piece, _, _ in counted]
        lines_to = list(accumulate((row[1] for row in counted), initial=0))
        sizes_to = list(accumulate((row[2] for row in counted), initial=0))
        yield merged(stream.labels, metadata), _Pieces(ends, lines_to, sizes_to)


def _windows(
    pieces: _Pieces, query: RangeAggregation, steps: Steps
) -> dict[int, float]:
    values: dict[int, float] = {}
    times = steps.times()
    # Only the steps whose window can reach the first piece and still the last one.
    begin = max(0, -((steps.start - query.offset_ns - pieces.ends[0]) // steps.step))
    reach = pieces.ends[-1] + query.range_ns + query.offset_ns - steps.start
    for number in range(begin, min(len(times), reach // steps.step + 1)):
        upto = times[number] - query.offset_ns
        first = bisect_right(pieces.ends, upto - query.range_ns)
        last = bisect_right(pieces.ends, upto)
        lines = pieces.lines[last] - pieces.lines[first]
        if lines:
            size = pieces.sizes[last] - pieces.sizes[first]
            values[number] = _value(query, lines, size)
    return values


def _value(query: RangeAggregation, lines: int, size: int) -> float:
    seconds = query.range_ns / SECOND_NS
    match query.op:
        case "count_over_time":
            return float(lines)
        case "rate":
            return lines / seconds
        case "bytes_over_time":
            return float(size)
        case _:
            return size / seconds
