"""Log queries: the lines of many streams in one order of time, up to a limit.

Counterpart of pkg/logql/engine.go readStreams: *start* is included, *end* is not.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from shipper.logql import LogQuery
from shipper.loki.encode import format_labels
from shipper.pipeline.entry import Entry, Labels
from shipper.store.model import Stream
from shipper.store.query.params import Bounds
from shipper.store.query.plan import has_label_stages, shown
from shipper.store.query.select import FoundStream, Where, merged, streams, where


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
    entry: Entry


def run(connection: sqlite3.Connection, request: LogRequest) -> list[Stream]:
    """Return the streams with the lines of *request*, streams by label text."""
    query = request.query
    condition = where(connection, query)
    lines = [
        _lines(connection, stream, request, condition, tie)
        for tie, stream in enumerate(
            streams(connection, request.tenant, query.selector)
        )
    ]
    grouped: dict[Labels, list[Entry]] = {}
    merge = heapq.merge(*lines, key=lambda line: (line.order, line.tie))
    for line in _spaced(merge, request):
        grouped.setdefault(line.labels, []).append(line.entry)
    return sorted(
        (Stream(labels, format_labels(labels), e) for labels, e in grouped.items()),
        key=lambda stream: stream.text,
    )


def _lines(
    connection: sqlite3.Connection,
    stream: FoundStream,
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
    staged = has_label_stages(request.query)
    for timestamp, line, metadata in rows:
        labels = stream.labels
        if staged or (metadata and not request.categorize):
            shown_as = _shown(labels, metadata, request)
            if shown_as is None:
                continue
            labels = shown_as
        pairs = tuple(json.loads(metadata).items()) if metadata else ()
        entry = Entry(timestamp, line, pairs)
        yield _Line(sign * timestamp, tie, labels, entry)


def _shown(labels: Labels, metadata: str | None, request: LogRequest) -> Labels | None:
    """Return the labels a line is shown under: Loki merges its metadata into them."""
    everything = shown(request.query, merged(labels, metadata))
    if everything is None or not (request.categorize and metadata):
        return everything
    names = dict(labels)
    return tuple(pair for pair in everything if pair[0] in names)


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
