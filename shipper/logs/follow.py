"""Follows a query over /loki/api/v1/tail: no line lost or twice over a reconnect.

A tail alone is not enough: the server drops lines when a client is slow, and knows
nothing of the time a connection was lost. So whenever there may be a gap, the lines
since a little before the newest one are asked for again with query_range, and what
was shown is remembered and left out.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Final

import aiohttp

from . import ask
from .client import LogClient
from .errors import LogsError, Refused, Unreachable
from .lines import NOT_LOKI, Line, parse_streams
from .query import Pager, Window
from .seen import Seen
from .times import SECOND_NS


POLL_SECONDS: Final = 1.0
TAIL_LIMIT: Final = 1000
# A clock that is ahead must not hide lines; Loki itself takes ten minutes.
AHEAD_NS: Final = 600 * SECOND_NS
_BACKOFF_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
# So many answers of 5xx in a row mean a proxy that knows no websockets.
_PATIENCE: Final = 3
# Refusals that are no word against a tail, but against us.
_LOGIN: Final = frozenset({401, 403})

Tell = Callable[[str], None]
Sleep = Callable[[float], Awaitable[None]]


class Follower:
    """Follows *query*; *tell* gets a line when a connection is lost or refused."""

    def __init__(
        self,
        client: LogClient,
        query: str,
        seen: Seen,
        tell: Tell,
        *,
        delay_for: int = 0,
        batch: int = 1000,
        clock: Callable[[], int] = time.time_ns,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Begin where *seen* ends."""
        self._client = client
        self._query = query
        self._seen = seen
        self._tell = tell
        self._delay_for = delay_for
        self._batch = batch
        self._clock = clock
        self._sleep = sleep
        self._failures = 0
        self._refusals = 0
        self._polls = False

    async def lines(self) -> AsyncIterator[list[Line]]:
        """Yield new lines until the caller stops.

        Raises:
            LogsError: the server refuses the query or the login; a lost connection
                is waited for instead.
        """
        while True:
            try:
                async for batch in self._poll() if self._polls else self._tail():
                    yield batch
            except Unreachable as error:
                await self._wait(error)

    async def _tail(self) -> AsyncIterator[list[Line]]:
        async for batch in self._catch_up():
            yield batch
        params = {
            "query": self._query,
            "start": str(self._seen.floor_ns),
            "limit": str(TAIL_LIMIT),
            "delay_for": str(self._delay_for),
        }
        try:
            async with self._client.tail(params) as socket:
                async for batch in self._live(socket):
                    yield batch
        except Refused as error:
            self._refused(error)
        else:
            raise Unreachable("the server ended the tail")

    def _refused(self, error: Refused) -> None:
        """Go on without tails, unless the refusal may be over soon or is a login's."""
        if error.status in _LOGIN:
            raise error
        self._refusals += 1
        if error.status >= 500 and self._refusals < _PATIENCE:
            raise Unreachable(error.text)
        self._polls = True
        self._tell(f"{error.text} to a tail; asking every second instead")

    async def _live(
        self, socket: aiohttp.ClientWebSocketResponse
    ) -> AsyncIterator[list[Line]]:
        self._refusals = 0
        # Between the last page and this connection there may be more than a tail tells.
        async for batch in self._catch_up():
            yield batch
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            streams, dropped = parse_message(message.data)
            if new := self._fresh(parse_streams(streams, forward=True)):
                yield new
            if dropped:
                async for batch in self._catch_up():
                    yield batch

    async def _poll(self) -> AsyncIterator[list[Line]]:
        async for batch in self._catch_up():
            yield batch
        await self._sleep(POLL_SECONDS)

    async def _catch_up(self) -> AsyncIterator[list[Line]]:
        """Yield what is stored and was not shown yet."""
        window = Window(self._seen.floor_ns, self._clock() + AHEAD_NS)
        pager = Pager(window, limit=None, forward=True, batch=self._batch)
        async for page in ask.pages(self._client, self._query, pager):
            if new := self._fresh(page):
                yield new
        self._failures = 0

    def _fresh(self, lines: Iterable[Line]) -> list[Line]:
        return self._seen.fresh(lines, self._clock())

    async def _wait(self, error: Unreachable) -> None:
        if self._failures == 1:  # the first one may be a restart, and over at once
            self._tell(f"{error.text}; trying again")
        at = min(self._failures, len(_BACKOFF_SECONDS) - 1)
        self._failures += 1
        await self._sleep(_BACKOFF_SECONDS[at])


def parse_message(text: str) -> tuple[list[Any], bool]:
    """Return the streams of a tail's message, and whether lines were dropped.

    Raises:
        LogsError: it is no message of Loki.
    """
    try:
        message = json.loads(text)
        return message.get("streams") or [], bool(message.get("dropped_entries"))
    except (ValueError, AttributeError):
        raise LogsError(f"{NOT_LOKI}: a tail's message is no JSON object") from None
