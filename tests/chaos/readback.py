"""Everything that the store has, page by page through Loki's API."""

from __future__ import annotations

import heapq
import time
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from .plan import STREAMS, Key, Plan, parse


PAGE = 50_000
HOUR_NS = 3600 * 10**9
Row = tuple[int, str]


@dataclass
class Found:
    """The numbers of one key as a forward query returns them, with their times."""

    numbers: array[int] = field(default_factory=lambda: array("l"))
    times: array[int] = field(default_factory=lambda: array("q"))


class Reader:
    """Asks the store at *url* for what writers wrote."""

    def __init__(self, url: str) -> None:
        self._url = url + "/loki/api/v1/"
        self.broken = 0

    async def count(self, session: aiohttp.ClientSession) -> int:
        """Return how many lines the store has; -1 when it does not say."""
        query = 'sum(count_over_time({writer=~".+"}[2h]))'
        now = time.time_ns() + 300 * 10**9
        try:
            data = await self._get(session, "query", query=query, time=now)
        except (aiohttp.ClientError, TimeoutError):
            return -1
        result = data["result"]
        return int(float(result[0]["value"][1])) if result else 0

    async def read(
        self, session: aiohttp.ClientSession, plan: Plan
    ) -> dict[Key, Found]:
        """Return all the lines of *plan*'s writer; count those that are not whole."""
        found: dict[Key, Found] = {}
        for stream in STREAMS:
            query = f'{{writer="{plan.name}", stream="{stream}"}}'
            async for row in self._rows(session, query):
                self._take(found, row, plan, stream)
        return found

    def _take(self, found: dict[Key, Found], row: Row, plan: Plan, stream: str) -> None:
        parsed = parse(row[1].encode(), plan.pad)
        if parsed is None or (parsed[0].stream != stream and not plan.tty):
            self.broken += 1
            return
        one = found.setdefault(parsed[0], Found())
        one.times.append(row[0])
        one.numbers.append(parsed[1])

    async def _rows(
        self, session: aiohttp.ClientSession, query: str
    ) -> AsyncIterator[Row]:
        start = time.time_ns() - HOUR_NS * 2
        while page := await self._page(session, query, start):
            # The last nanosecond may go on in the next page: ask for it again whole.
            newest, more = page[-1][0], len(page) >= PAGE
            for row in page:
                if not more or row[0] < newest:
                    yield row
            if not more:
                return
            assert newest > start, "one nanosecond fills a page"
            start = newest

    async def _page(
        self, session: aiohttp.ClientSession, query: str, start: int
    ) -> list[Row]:
        data = await self._get(
            session,
            "query_range",
            query=query,
            start=start,
            end=time.time_ns() + HOUR_NS,
            limit=PAGE,
            direction="forward",
        )
        streams = [
            [(int(row[0]), row[1]) for row in stream["values"]]
            for stream in data["result"]
        ]
        if len(streams) == 1:
            return streams[0]
        # A container that was renamed has two.
        return list(heapq.merge(*streams, key=lambda row: row[0]))

    async def _get(
        self, session: aiohttp.ClientSession, path: str, **parameters: Any
    ) -> Any:
        async with session.get(self._url + path, params=parameters) as answer:
            answer.raise_for_status()
            return (await answer.json())["data"]
