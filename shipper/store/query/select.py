"""Streams and rows of a selection, straight from the file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from shipper.logql import LogQuery, MatchOp, Selector
from shipper.logql.line import DUPLICATE
from shipper.pipeline.entry import Labels, Metadata
from shipper.store.query.params import Bounds
from shipper.store.query.plan import filters


_PREDICATE: Final = "line_passes"


class FoundStream(NamedTuple):
    """A stream of the file."""

    id: int
    labels: Labels


class Where(NamedTuple):
    """The line filters of a query as SQL, each beginning with AND."""

    sql: str
    values: tuple[bytes, ...]


def streams(
    connection: sqlite3.Connection, tenant: str, selector: Selector
) -> list[FoundStream]:
    """Return the streams of *tenant* that pass *selector*, by their labels."""
    sql, values = ["SELECT id, labels FROM streams WHERE tenant = ?"], [tenant]
    for matcher in selector.matchers:
        if matcher.op is MatchOp.EQUAL and matcher.value:
            sql.append(
                "id IN (SELECT stream FROM labels WHERE tenant = ? AND name = ?"
                " AND value = ?)"
            )
            values += [tenant, matcher.name, matcher.value]
    rows = connection.execute(" AND ".join(sql), values)
    found = (FoundStream(id_, _labels(text)) for id_, text in rows)
    return sorted(
        (stream for stream in found if selector.matches(dict(stream.labels))),
        key=lambda stream: stream.labels,
    )


def with_lines(
    connection: sqlite3.Connection, found: Sequence[FoundStream], bounds: Bounds
) -> Iterator[FoundStream]:
    """Yield those of *found* that have a line inside *bounds*, both included."""
    for stream in found:
        row = connection.execute(
            "SELECT 1 FROM entries WHERE stream = ? AND ts BETWEEN ? AND ? LIMIT 1",
            (stream.id, bounds.start, bounds.end),
        ).fetchone()
        if row is not None:
            yield stream


def where(connection: sqlite3.Connection, query: LogQuery) -> Where:
    """Return the line filters of *query* as SQL for *connection*.

    Plain substrings are SQLite's instr(), which does not hold Python's lock; the rest
    is one function, called only for lines that got that far.
    """
    contains, predicate = filters(query)
    parts: list[str] = []
    values: list[bytes] = []
    for needles, wanted in contains:
        either = " OR ".join("instr(line, ?) > 0" for _ in needles)
        parts.append(f" AND {'' if wanted else 'NOT '}({either})")
        values += needles
    if predicate is not None:
        connection.create_function(_PREDICATE, 1, predicate, deterministic=True)
        parts.append(f" AND {_PREDICATE}(line)")
    return Where("".join(parts), tuple(values))


@lru_cache(maxsize=64)
def unpacked(metadata: str | None) -> Metadata:
    """Return the pairs of a row's *metadata*."""
    return tuple(json.loads(metadata).items()) if metadata else ()


def merged(labels: Labels, metadata: str | None) -> Labels:
    """Return *labels* with a row's *metadata*; a name that is taken gets a suffix."""
    if not metadata:
        return labels
    own = dict(labels)
    stored = {
        f"{name}{DUPLICATE}" if name in own else name: value
        for name, value in unpacked(metadata)
    }
    return tuple(sorted({**own, **stored}.items()))


def _labels(text: str) -> Labels:
    return tuple(json.loads(text).items())
