"""One connection to a server: ask, wait for the answer, ask again."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from .faults import HttpError
from .reply import Expected, Reply, ReplyReader


# Where all connections read into, one after the other: what is read is taken out at
# once. asyncio would take 256 KiB anew from the system for each read.
_VIEW: Final = memoryview(bytearray(64 * 1024))

_NOTHING: Final = memoryview(b"")

FIRST_BYTES: Final = 64 * 1024
"""So much of a body goes out with the headers, in one system call."""

PIECE_BYTES: Final = 256 * 1024
"""So much of a body is given to asyncio at a time: it copies what is not sent."""


class Connection(asyncio.BufferedProtocol):
    """A way to ask, one question at a time.

    It closes itself as soon as it cannot be used again: after an error, after an
    answer that ends it or comes before all was sent, when a question is given up. And
    when something comes that was not asked for: it would be taken for the next answer
    (net/http transport.go, readLoopPeekFailLocked).
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._reader = ReplyReader()
        self.transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Reply] | None = None
        self._unsent = _NOTHING
        self._paused = False
        self.idle_since = 0.0

    @property
    def usable(self) -> bool:
        """Whether a question can be asked; none may be under way."""
        return self.transport is not None and not self.transport.is_closing()

    async def ask(self, head: bytes, body: bytes, expected: Expected) -> Reply:
        """Return the answer to *head* and *body*.

        Raises NoAnswerError if the connection ended before an answer began,
        HttpError for everything else that is no answer.
        """
        assert self.transport is not None, "a usable connection"
        assert self._waiting is None, "one question at a time"
        waiting: asyncio.Future[Reply] = self._loop.create_future()
        self._waiting = waiting
        self._reader.start(expected)
        if len(body) > FIRST_BYTES:
            self._unsent = memoryview(body)[FIRST_BYTES:]
        self.transport.write(head + body[:FIRST_BYTES])
        self._send()
        try:
            return await waiting
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it now; nobody is told."""
        self._waiting = None
        self._unsent = _NOTHING
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.abort()

    def leave(self) -> asyncio.Transport | None:
        """Give the transport to another protocol; None where it is closed."""
        transport, self.transport = self.transport, None
        return transport

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def pause_writing(self) -> None:
        """Wait: the other side does not take more."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on with what is unsent."""
        self._paused = False
        self._send()

    def get_buffer(self, _: int) -> memoryview:
        """Return where to read into."""
        return _VIEW  # asyncio/sslproto.py takes slices of it, so no bytearray

    def buffer_updated(self, count: int) -> None:
        """Take what was read."""
        self._take(_VIEW[:count])

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who waits."""
        transport, self.transport = self.transport, None
        if error is not None and transport is not None:
            self._take_the_rest(transport)
        if self._waiting is None:
            return
        try:
            self._tell(self._reader.end(_reason(error)))
        except HttpError as fault:
            self._tell(fault)

    # ---

    def _send(self) -> None:
        while self._unsent and not self._paused and self.usable:
            assert self.transport is not None
            piece = self._unsent[:PIECE_BYTES]
            # An empty part would keep the whole body alive.
            self._unsent = self._unsent[PIECE_BYTES:] or _NOTHING
            self.transport.write(piece)

    def _take(self, data: memoryview | bytes) -> None:
        if self._waiting is None:
            self.close()
            return
        outcome: Reply | HttpError | None
        try:
            outcome = self._reader.feed(data)
        except HttpError as error:
            outcome = error
        if outcome is not None:
            self._tell(outcome)

    def _take_the_rest(self, transport: asyncio.Transport) -> None:
        """Read what came before the connection broke.

        Who answers 413 without reading all breaks it as it closes. Then a write fails,
        and asyncio looks no more whether there is an answer. Under TLS there is no
        way to it.
        """
        sock = transport.get_extra_info("socket")
        if sock is None or transport.get_extra_info("sslcontext") is not None:
            return
        try:
            while self._waiting is not None:
                data = os.read(sock.fileno(), len(_VIEW))
                if not data:
                    return
                self._take(data)
        except OSError:
            return

    def _tell(self, outcome: Reply | HttpError) -> None:
        waiting, self._waiting = self._waiting, None
        if not (self._reader.reusable and self._is_all_sent()):
            self.close()
        if waiting is None or waiting.done():  # given up just now
            return
        if isinstance(outcome, HttpError):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)

    def _is_all_sent(self) -> bool:
        if self._unsent or self.transport is None:
            return False
        return not self.transport.get_write_buffer_size()


def _reason(error: Exception | None) -> str:
    """Return what the system said, "" when there was no error."""
    if error is None:
        return ""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
