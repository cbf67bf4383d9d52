"""Labels, their values, series and index statistics (pkg/querier/querier.go, 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Final, NamedTuple

from shipper.logql import LogQLError, Selector, parse_selector
from shipper.store.query.params import Bounds
from shipper.store.query.select import FoundStream, streams, with_lines
from shipper.store.reader import Guard, Readers
from shipper.wire.errors import Answer


_EVERYTHING: Final = Selector(())


class Stats(NamedTuple):
    """What a selector holds inside a time range."""

    streams: int
    chunks: int
    bytes: int
    entries: int


class Index:
    """Answer what is there, through *readers*."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def names(self, tenant: str, bounds: Bounds, query: str) -> list[str]:
        """Return the label names of the streams of *query* with lines in *bounds*."""
        found = await self._found(tenant, bounds, [selector_of(query)])
        return sorted({name for stream in found for name, _ in stream.labels})

    async def values(
        self, tenant: str, bounds: Bounds, query: str, name: str
    ) -> list[str]:
        """Return the values that label *name* has there."""
        found = await self._found(tenant, bounds, [selector_of(query)])
        pairs = (pair for stream in found for pair in stream.labels)
        return sorted({value for label, value in pairs if label == name})

    async def series(
        self, tenant: str, bounds: Bounds, groups: Sequence[str]
    ) -> list[dict[str, str]]:
        """Return the label sets that one of the selectors *groups* selects."""
        selectors = [selector_of(group) for group in groups]
        found = await self._found(tenant, bounds, selectors or [_EVERYTHING])
        return [dict(stream.labels) for stream in found]

    async def stats(self, tenant: str, bounds: Bounds, query: str) -> Stats:
        """Return how much *query* would have to read; a stream counts as a chunk."""
        selector = selector_of(query, bounded=True)

        def work(connection: Connection, guard: Guard) -> Stats:
            totals = Stats(0, 0, 0, 0)
            for stream in streams(connection, tenant, selector):
                guard.check()
                lines, size = connection.execute(
                    "SELECT COUNT(*), TOTAL(LENGTH(line)) FROM entries"
                    " WHERE stream = ? AND ts BETWEEN ? AND ?",
                    (stream.id, bounds.start, bounds.end),
                ).fetchone()
                if lines:
                    more = (1, 1, int(size), lines)
                    totals = Stats(*(a + b for a, b in zip(totals, more, strict=True)))
            return totals

        return await self._readers.run(work)

    async def _found(
        self, tenant: str, bounds: Bounds, selectors: Sequence[Selector]
    ) -> list[FoundStream]:
        def work(connection: Connection, guard: Guard) -> list[FoundStream]:
            found = {
                stream
                for selector in selectors
                for stream in streams(connection, tenant, selector)
            }
            guard.check()
            ordered = sorted(found, key=lambda stream: stream.labels)
            return list(with_lines(connection, ordered, bounds))

        return await self._readers.run(work)


def selector_of(text: str, *, bounded: bool = False) -> Selector:
    """Return the selector *text*, everything for an empty one. Raises Answer 400."""
    if not text or text.replace(" ", "") == "{}":
        return _EVERYTHING
    try:
        return parse_selector(text, bounded=bounded)
    except LogQLError as error:
        raise Answer(400, str(error)) from None
