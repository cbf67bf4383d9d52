"""One connection to an nginx: ask, wait for the answer, ask again."""

from __future__ import annotations

import asyncio

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.answer import Answer, AnswerReader, NoAnswerError
from exporters.nginx.http.faults import reason


# Where all connections read into, one after the other: what is read is taken out at
# once. asyncio would take 256 KiB anew from the system for each read.
_VIEW = memoryview(bytearray(64 * 1024))


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
        self._waiting: asyncio.Future[Answer] | None = None
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
        assert self._waiting is None, "one question at a time"
        if self._transport is None:
            raise NoAnswerError("connection closed")
        self._reader.start(max_bytes)
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting = waiting
        self._transport.write(request)
        try:
            return await waiting
        except BaseException:
            self.close()
            raise
        finally:
            self._waiting = None

    def close(self) -> None:
        """Close it now."""
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
        waiting = self._waiting
        if waiting is None or waiting.done():
            self.close()
            return
        try:
            answer = self._reader.feed(_VIEW[:count])
        except ScrapeError as error:
            self.close()
            waiting.set_exception(error)
            return
        if answer is not None:
            if not self._reader.reusable:
                self.close()
            waiting.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who waits."""
        self._transport = None
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        try:
            waiting.set_result(self._reader.end(reason(error) if error else ""))
        except ScrapeError as fault:
            waiting.set_exception(fault)
