"""Log queries: the lines of many streams in one order of time, up to a limit.

Counterpart of pkg/logql/engine.go readStreams: *start* is included, *end* is not.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from shipper.logql import LogQuery
from shipper.logql.pipeline import StreamPipeline
from shipper.loki.encode import format_labels
from shipper.pipeline.entry import Labels
from shipper.store.query import select
from shipper.store.query.found import FoundLine, FoundStream, found_line
from shipper.store.query.params import Bounds
from shipper.store.query.plan import stages_of
from shipper.store.query.select import Where, streams, unpacked, where


class LogRequest(NamedTuple):
    """Which lines of *tenant*, how many, and which end of *bounds* comes first.

    With *interval* nanoseconds only a line at least so far from the last is kept.
    *categorize* keeps structured metadata out of the labels (Grafana asks for it).
    """

    tenant: str
    query: LogQuery
    bounds: Bounds
    limit: int
    forward: bool = False
    interval: int = 0
    categorize: bool = False


class _Line(NamedTuple):
    order: int
    tie: int
    labels: Labels
    entry: FoundLine


def run(connection: sqlite3.Connection, request: LogRequest) -> list[FoundStream]:
    """Return the streams with the lines of *request*, streams by label text."""
    query = request.query
    condition = where(connection, query)
    lines = [
        _lines(connection, stream, request, condition, tie)
        for tie, stream in enumerate(
            streams(connection, request.tenant, query.selector)
        )
    ]
    grouped: dict[Labels, list[FoundLine]] = {}
    merge = heapq.merge(*lines, key=lambda line: (line.order, line.tie))
    for line in _spaced(merge, request):
        grouped.setdefault(line.labels, []).append(line.entry)
    return sorted(
        (
            FoundStream(labels, format_labels(labels), e)
            for labels, e in grouped.items()
        ),
        key=lambda stream: stream.text,
    )


def _lines(
    connection: sqlite3.Connection,
    stream: select.FoundStream,
    request: LogRequest,
    condition: Where,
    tie: int,
) -> Iterator[_Line]:
    sign = 1 if request.forward else -1
    order = "ASC" if request.forward else "DESC"
    rows = connection.execute(
        "SELECT ts, line, metadata FROM entries"  # noqa: S608 -- our own words
        f" WHERE stream = ? AND ts >= ? AND ts < ?{condition.sql}"
        f" ORDER BY ts {order}, seq {order}",
        (stream.id, *request.bounds, *condition.values),
    )
    stages = stages_of(request.query)
    pipeline = StreamPipeline(stages, dict(stream.labels))
    for timestamp, line, metadata in rows:
        if not stages and not metadata:
            entry = FoundLine(timestamp, line)
            yield _Line(sign * timestamp, tie, stream.labels, entry)
            continue
        shown = pipeline.process(timestamp, line, unpacked(metadata))
        if shown is not None:
            labels, entry = found_line(shown, categorize=request.categorize)
            yield _Line(sign * timestamp, tie, labels, entry)


def _spaced(lines: Iterator[_Line], request: LogRequest) -> Iterator[_Line]:
    last: int | None = None
    left = request.limit
    for line in lines:
        if (
            last is None
            or line.order >= last + request.interval
            or not request.interval
        ):
            last = line.order
            left -= 1
            yield line
            if not left:
                return
