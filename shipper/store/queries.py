"""Log and metric queries, from the form to the answer (pkg/querier/queryrange, 3.4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from sqlite3 import Connection
from typing import TypeVar

from exporters.toolkit.duration import format_nanoseconds
from shipper.logql import Expr, LogQuery, number_of
from shipper.store.durations import format_duration
from shipper.store.limits import Limits
from shipper.store.query import logs, render
from shipper.store.query.expr import Evaluator, is_sorted
from shipper.store.query.found import FoundStream
from shipper.store.query.logs import LogRequest
from shipper.store.query.params import (
    Bounds,
    RangeParams,
    instant_params,
    range_params,
)
from shipper.store.query.plan import parse_query
from shipper.store.query.steps import Series, Steps
from shipper.store.reader import Guard, Readers
from shipper.wire.errors import Answer


T = TypeVar("T")

LOG_AS_INSTANT = (
    "log queries are not supported as an instant query type, please change your query "
    "to a range query type"
)


class Queries:
    """Answer queries of any tenant through *readers*; *clock* returns nanoseconds."""

    def __init__(
        self, readers: Readers, limits: Limits, clock: Callable[[], int]
    ) -> None:
        self._readers = readers
        self._limits = limits
        self._clock = clock

    async def range(
        self, tenant: str, form: Mapping[str, str], *, categorize: bool
    ) -> bytes:
        """Return the JSON for /query_range. Raises Answer."""
        asked = refused(range_params, form, self._clock())
        expr = parse_query(asked.query)
        self._check_length(asked.bounds)
        started = time.perf_counter()
        if isinstance(expr, LogQuery):
            self._check_limit(asked.limit)
            streams = await self._streams(tenant, expr, asked, categorize=categorize)
            seconds = time.perf_counter() - started
            return render.streams(streams, seconds, categorize=categorize)
        steps = Steps(*asked.bounds, asked.step).aligned()
        found = await self._series(tenant, expr, steps)
        return render.matrix(found, steps, time.perf_counter() - started)

    async def instant(self, tenant: str, form: Mapping[str, str]) -> bytes:
        """Return the JSON for /query. Raises Answer."""
        asked = refused(instant_params, form, self._clock())
        expr = parse_query(asked.query)
        if isinstance(expr, LogQuery):
            raise Answer(400, LOG_AS_INSTANT)
        started = time.perf_counter()
        value = number_of(expr)
        if value is not None:
            return render.scalar(value, asked.time, time.perf_counter() - started)
        found = await self._series(tenant, expr, Steps(asked.time, asked.time, 1))
        samples = [(series.labels, series.values[0]) for series in found]
        if not is_sorted(expr):
            samples.sort()
        return render.vector(samples, asked.time, time.perf_counter() - started)

    async def _streams(
        self, tenant: str, query: LogQuery, asked: RangeParams, *, categorize: bool
    ) -> list[FoundStream]:
        request = LogRequest(
            tenant,
            query,
            asked.bounds,
            asked.limit,
            forward=asked.forward,
            interval=asked.interval,
            categorize=categorize,
        )
        return await self._readers.run(
            lambda connection, _: logs.run(connection, request)
        )

    async def _series(self, tenant: str, expr: Expr, steps: Steps) -> list[Series]:
        most = self._limits.max_series

        def work(connection: Connection, guard: Guard) -> list[Series]:
            found: list[Series] = []
            for series in Evaluator(connection, guard, tenant, steps).held(expr):
                found.append(series)
                if most and len(found) > most:
                    text = f"maximum of series ({most}) reached for a single query"
                    raise Answer(400, text)
            return found

        return await self._readers.run(work)

    def _check_limit(self, limit: int) -> None:
        most = self._limits.max_entries
        if most and limit > most:
            raise Answer(
                400,
                "max entries limit per query exceeded, limit > "
                f"max_entries_limit_per_query ({limit} > {most})",
            )

    def _check_length(self, bounds: Bounds) -> None:
        most, length = self._limits.max_query_length_ns, bounds.end - bounds.start
        if most and length > most:
            raise Answer(
                400,
                "the query time range exceeds the limit (query length: "
                f"{format_nanoseconds(length)}, limit: {format_duration(most)})",
            )


def refused(
    parse: Callable[[Mapping[str, str], int], T], form: Mapping[str, str], now: int
) -> T:
    """Return what *parse* makes of *form*; its ValueError is an Answer 400."""
    try:
        return parse(form, now)
    except ValueError as error:
        raise Answer(400, str(error)) from None
