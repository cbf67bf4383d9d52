"""One connection: requests come in, each is answered before the next is looked at.

What comes meanwhile waits, up to a bound, then in the kernel; so does an answer that
the client is slow to read. Upstream counterpart: net/http ``server.go``, conn.serve.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from .head import Refused
from .patience import Patience
from .preliminary import by_itself
from .reader import MAX_HEAD_BYTES, Reader
from .request import Request
from .response import Response, encode, encode_refusal


if TYPE_CHECKING:
    from .server import Server

Handler = Callable[[Request], Awaitable[Response]]


class Connection(asyncio.BufferedProtocol):
    """Serves one client; the waits that it may be in are those of its *host*."""

    __slots__ = (
        "_ended",
        "_full",
        "_host",
        "_leaving",
        "_paused",
        "_reader",
        "_task",
        "_transport",
    )

    def __init__(self, host: Server) -> None:
        self._host = host
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._full = False  # an answer waits for the client to read
        self._paused = False  # the client waits for us to read
        self._ended = False  # the client sends no more
        self._leaving = False  # nothing is answered any more

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        self._transport = cast("asyncio.Transport", transport)  # a stream's, always
        # Zero: we are told as soon as an answer does not fit into the kernel.
        self._transport.set_write_buffer_limits(0)
        self._host.idle.add(self)
        self._host.joined(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go: it is read at once, so all share it."""
        del sizehint
        return self._host.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Answer the request that the *nbytes* that came complete."""
        if self._leaving:
            return
        self._reader.feed(self._host.buffer[:nbytes])
        if self._task is None and not self._full:
            self._go_on()
        elif len(self._reader) > MAX_HEAD_BYTES and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Keep the way back open as long as there is something to say.

        Who sends no more may be gone or wait for the answer: it looks the same.
        """
        self._ended = True
        if self._leaving or self._transport is None:
            return False
        if self._task is None and not self._full:
            self._go_on()
        elif self._host.cancels:
            self._host.lingering.add(self)
        # TLS has no half of a connection.
        return not self._transport.is_closing() and self._transport.can_write_eof()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        self._full = True
        self._host.draining.add(self)

    def resume_writing(self) -> None:
        """Go on: the client has read it all."""
        self._full = False
        self._host.draining.discard(self)
        if self._task is None and not self._leaving:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        del exc  # it went away, whyever
        self._leaving, self._transport = True, None
        for waits in self._waits():
            waits.discard(self)
        if self._task is None:
            self._host.left(self)
        elif self._host.cancels:
            self._task.cancel()

    # What the server calls

    def finish(self) -> None:
        """Leave as soon as the request that is being served has its answer."""
        if self._task is None and not self._full:
            self.abort()

    def abort(self) -> None:
        """Leave at once, whatever is being done."""
        self._leaving = True
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()

    # The rest

    def _waits(self) -> tuple[Patience[Connection], ...]:
        host = self._host
        return host.idle, host.reading, host.draining, host.lingering

    def _go_on(self) -> None:
        """Serve the next request if there is one, or wait for it."""
        if self._host.closing:
            self._leave(b"")
            return
        try:
            request = self._reader.next()
            if request is None and self._ended:
                request = self._reader.end()
        except Refused as refusal:
            self._leave(encode_refusal(refusal))
            return
        if request is not None:
            self._host.idle.discard(self)
            self._host.reading.discard(self)
            self._task = self._host.loop.create_task(self._serve(request))
        elif self._ended:
            self._leave(b"")
        elif self._reader.waits:
            self._host.idle.discard(self)
            self._host.reading.add(self)
        else:
            self._host.idle.add(self)
        if self._paused and request is None and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    async def _serve(self, request: Request) -> None:
        response = None
        try:
            response = by_itself(request) or await self._host.answer(request)
        finally:
            self._task = None
            if self._transport is None:
                self._host.left(self)
            elif response is None:  # it was cancelled, by whomever
                self.abort()
        self._send(request, response)

    def _send(self, request: Request, response: Response) -> None:
        if self._transport is None:
            return
        last = self._reader.last or response.closes or self._host.closing
        data = encode(response, request, keep_alive=not last)
        if last:
            self._leave(data)
            return
        self._transport.write(data)
        if not self._full:
            self._go_on()

    def _leave(self, data: bytes) -> None:
        """Send *data* as the last thing, and close once the client has it.

        What it still sends is thrown away for a moment: unread, it would have the
        kernel reset the connection, and the answer with it.
        """
        transport = self._transport
        if transport is None:
            return
        self._leaving = True
        transport.write(data)
        unread = self._reader.unread or len(self._reader)
        if unread and not self._ended and transport.can_write_eof():
            transport.write_eof()
            self._host.lingering.add(self)
            if self._paused:
                transport.resume_reading()
        else:
            transport.close()
