"""Find requests in the bytes of a connection, however they were cut up."""

from __future__ import annotations

import re

from .body import Body
from .head import MAX_LINE_BYTES, TOO_LARGE, Refused, check_first_line, parse_head
from .request import Request


# Of all lines together; Go takes 1 MiB, and a thousand clients would be a GiB.
MAX_HEAD_BYTES = 4 * MAX_LINE_BYTES
_END = re.compile(rb"\n\r?\n")
_LONG_LINE = re.compile(rb"[^\n]{%d}" % (MAX_LINE_BYTES + 1))


class Reader:
    """Requests one after the other.

    *last* is true once no other request may follow the one that was returned, and
    *unread* if the client still sends what belongs to it.
    """

    __slots__ = (
        "_begun",
        "_body",
        "_buffer",
        "_head",
        "_request",
        "_seen",
        "last",
        "unread",
    )

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._seen = 0  # bytes in which no head ends
        self._begun = False  # the first line was looked at
        self._body: Body | None = None
        self._head = b""
        self._request: Request | None = None
        self.last = self.unread = False

    def __len__(self) -> int:
        """Return how many bytes wait to be read."""
        return len(self._buffer)

    @property
    def waits(self) -> bool:
        """Whether there is part of a request."""
        return bool(self._buffer) or self._body is not None

    def feed(self, data: bytes | memoryview) -> None:
        """Take what came."""
        self._buffer += data

    def next(self) -> Request | None:
        """Return the next request if it is whole; raises Refused."""
        if self.last:
            return None
        try:
            self._read_head()
        except Refused:
            self.last = self.unread = True
            raise
        if self._body is None or not self._body.take(self._buffer):
            return None
        return self._done()

    def end(self) -> Request | None:
        """Return the request whose body ends too soon; raises Refused in a head."""
        if self._body is not None:
            self._body.broken = True
            return self._done()
        if self._buffer and not self.last:
            raise Refused
        return None

    def _done(self) -> Request | None:
        assert self._request is not None  # it has a body
        assert self._body is not None
        request = self._request
        self.unread = self._body.broken or not request.keep_alive
        self.last = self.unread
        self.unread &= request.length != 0
        self._body = None
        return request

    def _read_head(self) -> None:
        buffer = self._buffer
        if self._body is not None:
            return
        if buffer and self._request is not None and self._request.method == "POST":
            _skip_line_ends(buffer)
        end = _END.search(buffer, max(self._seen - 2, 0))
        if end is None:
            self._check_part()
            return
        head = bytes(buffer[: end.end()])
        del buffer[: end.end()]
        self._seen, self._begun = 0, False
        self._request = self._parse(head)
        self._body = _body_of(self._request)

    def _parse(self, head: bytes) -> Request:
        # Prometheus sends the same bytes each time; reading them anew takes 12 us.
        if head == self._head and self._request is not None:
            return self._request
        if len(head) > MAX_LINE_BYTES and _is_too_large(head):
            raise Refused(TOO_LARGE)
        request = parse_head(head)
        self._head = head
        return request

    def _check_part(self) -> None:
        """Refuse early what cannot become a request."""
        buffer = self._buffer
        self._seen = len(buffer)
        if not self._begun and b"\n" in buffer:
            self._begun = True
            check_first_line(bytes(buffer[: buffer.index(b"\n")]))
        last_line = len(buffer) - (buffer.rfind(b"\n") + 1)
        if last_line > MAX_LINE_BYTES or len(buffer) > MAX_HEAD_BYTES:
            raise Refused(TOO_LARGE)


def _body_of(request: Request) -> Body:
    """Return the body to leave out; none if the connection is closed anyway."""
    continues = request.minor > 0 and "100-continue" in request.headers.tokens("expect")
    if not request.keep_alive:
        return Body(0)
    body = Body(request.length)
    if continues and request.length != 0:
        body.broken = True  # it waits for leave to send it, which nobody gives
    return body


def _is_too_large(data: bytes) -> bool:
    return len(data) > MAX_HEAD_BYTES or _LONG_LINE.search(data) is not None


def _skip_line_ends(buffer: bytearray) -> None:
    """Remove what old clients send behind the body of a POST (RFC 9112 2.2)."""
    while buffer.startswith((b"\r", b"\n")):
        del buffer[:1]
