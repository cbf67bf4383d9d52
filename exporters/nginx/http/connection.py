"""One connection to an nginx: ask, wait for the answer, ask again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.answer import Answer, AnswerReader
from exporters.nginx.http.faults import reason


# Where all connections read into, one after the other: what is read is taken out at
# once. asyncio would take 256 KiB anew from the system for each read.
_VIEW = memoryview(bytearray(64 * 1024))


Outcome = Answer | ScrapeError


class Connection(asyncio.BufferedProtocol):
    """A way to ask, one question at a time.

    It closes itself as soon as it cannot be used again: after an error, after an
    answer that ends it, when a question is given up. And when something comes that
    was not asked for: it would be taken for the next answer. HAProxy says 408 before
    it closes an idle connection (net/http transport.go, readLoopPeekFailLocked).
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._reader = AnswerReader()
        self._transport: asyncio.Transport | None = None
        self._told: Callable[[Outcome], object] | None = None
        self.idle_since = 0.0

    @property
    def usable(self) -> bool:
        """Whether a question can be asked; none may be under way."""
        return self._transport is not None

    async def ask(self, request: bytes, max_bytes: int) -> Answer:
        """Return the answer to *request*; see `AnswerReader` for *max_bytes*.

        Raises NoAnswerError if the connection ended before an answer began,
        ScrapeError for everything else that is no answer.
        """
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        self.begin(request, max_bytes, partial(_settle, waiting))
        try:
            return await waiting
        except BaseException:
            self.close()
            raise

    def begin(
        self, request: bytes, max_bytes: int, told: Callable[[Outcome], object]
    ) -> None:
        """Ask, and have *told* called once with what `ask` returns or raises.

        Not before this returns, and not after `close`.
        """
        assert self._transport is not None, "a usable connection"
        assert self._told is None, "one question at a time"
        self._told = told
        self._reader.start(max_bytes)
        self._transport.write(request)

    def close(self) -> None:
        """Close it now; nobody is told."""
        self._told = None
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, _: int) -> memoryview:
        """Return where to read into."""
        return _VIEW  # asyncio/sslproto.py takes slices of it, so no bytearray

    def buffer_updated(self, count: int) -> None:
        """Take what was read."""
        told = self._told
        if told is None:
            self.close()
            return
        outcome: Outcome | None
        try:
            outcome = self._reader.feed(_VIEW[:count])
        except ScrapeError as error:
            outcome = error
        if outcome is not None:
            self._told = None
            if not self._reader.reusable:
                self.close()
            told(outcome)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who waits."""
        self._transport = None
        told, self._told = self._told, None
        if told is None:
            return
        try:
            told(self._reader.end(reason(error) if error else ""))
        except ScrapeError as fault:
            told(fault)


def _settle(waiting: asyncio.Future[Answer], outcome: Outcome) -> None:
    if waiting.done():  # given up just now
        return
    if isinstance(outcome, ScrapeError):
        waiting.set_exception(outcome)
    else:
        waiting.set_result(outcome)
