"""Take an answer in HTTP/1 apart as it arrives: bytes in, an `Answer` out, no I/O.

The parser is llhttp's (httptools), with the leniencies that net/http has, too: bare
line feeds, blanks around a chunk's size. Bounds and the end of a body are decided here.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

import httptools

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.coding import unpacked
from exporters.nginx.stub_status import excerpt


# A stub_status page has about 110 bytes. A page longer than this is another one.
MAX_BODY_BYTES = 64 * 1024

# What may come in a row that is no body: status line, headers, trailers, hints. A
# line of a header may be long: cookies, content policies.
MAX_HEAD_BYTES = 64 * 1024

# Enough for an excerpt, which shows less, to know that there was more.
MAX_QUOTED_BYTES = 128

CLOSED = "connection closed without an answer, expected an HTTP response"
CUT_OFF = "body is cut off or damaged, expected what its header announces"

_SWITCHING_PROTOCOLS = 101
_OK = 200

# How nginx says what it counts, in one piece over a connection that stays. What differs
# from it by a byte is left to the parser, to which this one is as if it had not been:
# 1.2 us in place of 3.1.
_PLAIN = re.compile(
    rb"HTTP/1\.1 200 OK\r\n"
    rb"Server: [!-~]{1,64}(?: [!-~]{1,64})*\r\n"
    rb"Date: [A-Za-z]{3}, [0-9]{2} [A-Za-z]{3} [0-9]{4} [0-9:]{8} GMT\r\n"
    rb"Content-Type: text/plain\r\n"
    rb"Content-Length: ([0-9]{1,4})\r\n"
    rb"Connection: keep-alive\r\n\r\n"
    rb"(.*)",
    re.DOTALL,
)

_LENGTH = frozenset({b"content-length", b"transfer-encoding"})
_TOLD = frozenset({b"content-encoding", b"location"})


class Answer(NamedTuple):
    """What nginx answered: a status and a body, which is whole where it is 200.

    *location* is the header of that name, "" without it.
    """

    status: int
    body: bytes
    location: str = ""


class NoAnswerError(ScrapeError):
    """Report a connection that ended before the header of an answer was whole."""


class AnswerReader:
    """Read the answers of one connection, one after the other.

    `start` says that one is expected. Then `feed` takes what arrives, until it returns
    the answer, and `end` is told that no more will. Both raise ScrapeError for what
    is no answer; nothing can be read from the connection after that.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_lf_after_cr=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self._begin()
        self.start(0)

    def start(self, max_bytes: int) -> None:
        """Expect an answer, with a body of at most *max_bytes* if the status is 200.

        Of any other body MAX_BODY_BYTES at most are read, and the rest is left.
        """
        self.reusable = False
        self._max_bytes = max_bytes
        self._fresh = True

    def _begin(self) -> None:
        """Forget the answer of before."""
        self._fresh = False
        self._status = 0
        self._whole_head = self._until_close = self._done = self._surplus = False
        self._headers: dict[bytes, bytes] = {}
        self._parts: list[bytes] = []
        self._size = self._without_body = 0
        self._beginning = b""

    def feed(self, data: memoryview | bytes) -> Answer | None:
        """Return the answer if *data* is its end; `reusable` holds true from then on.

        It does where the connection is as before: kept, and nothing came behind.
        """
        if self._fresh:
            plain = _PLAIN.fullmatch(data)
            if plain is not None and (answer := self._whole(plain)) is not None:
                return answer
            self._begin()
        if not self._beginning:
            self._beginning = bytes(data[:MAX_QUOTED_BYTES])
        before = self._size
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._surplus = True
        except httptools.HttpParserError as error:
            self._surplus = True
            if not self._done and not self._enough():
                raise self._damaged(str(error)) from error
        if self._done or self._enough():
            self.reusable = self.reusable and self._done and not self._surplus
            return self._answer()
        self._without_body += len(data)
        if self._size > before:
            self._without_body = 0
        elif self._without_body > MAX_HEAD_BYTES:
            raise self._damaged(f"more than {MAX_HEAD_BYTES} bytes of header")
        return None

    def _whole(self, plain: re.Match[bytes]) -> Answer | None:
        """Return the answer of nginx in one piece, None if it is another."""
        length, body = plain.groups()
        if len(body) != int(length) or len(body) > self._max_bytes:
            return None
        self.reusable = True
        return Answer(_OK, body)

    def end(self, why: str = "") -> Answer:
        """Return the answer that ends with the connection.

        *why* says what broke it, "" where the other side closed it. A body may be
        incomplete where the status is not 200: that says what is wrong.
        """
        if self._fresh or not self._whole_head:
            raise NoAnswerError(why or CLOSED)
        if self._status == _OK and (why or not self._until_close):
            raise ScrapeError(CUT_OFF)
        return self._answer()

    # --- what llhttp calls

    def on_message_begin(self) -> None:
        """Note what comes behind the answer."""
        self._surplus = self._surplus or self._done

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the headers that matter, of several the first as Go does."""
        name = name.lower()
        if name in _TOLD or name in _LENGTH:
            self._headers.setdefault(name, value)

    def on_headers_complete(self) -> None:
        """Take the status."""
        if self._done:
            return
        self._status = self._parser.get_status_code()
        self._whole_head = self._status >= _OK or self._status == _SWITCHING_PROTOCOLS
        self._until_close = self._headers.keys().isdisjoint(_LENGTH)

    def on_body(self, data: bytes) -> None:
        """Keep the body, as far as it is wanted."""
        if not self._done and not self._enough():
            self._parts.append(data)
            self._size += len(data)

    def on_message_complete(self) -> None:
        """Go on behind "100 Continue" and the like, else be done."""
        if not self._whole_head:
            self._headers.clear()
        elif not self._done:
            self._done = True
            self.reusable = self._parser.should_keep_alive()

    # ---

    def _enough(self) -> bool:
        return self._size > self._limit()

    def _limit(self) -> int:
        if self._status == _OK:
            return self._max_bytes
        return min(self._max_bytes, MAX_BODY_BYTES)

    def _answer(self) -> Answer:
        limit = self._limit()
        body = self._decoded(b"".join(self._parts), limit)
        if len(body) > limit and self._status == _OK:
            raise ScrapeError(
                f"expected a body of at most {limit} bytes, got more, beginning with "
                f"{excerpt(body)}"
            )
        location = self._headers.get(b"location", b"").decode("utf-8", "replace")
        return Answer(self._status, body[:limit], location)

    def _decoded(self, body: bytes, limit: int) -> bytes:
        """Return *body* unpacked, which was not asked for but may be all the same."""
        coding = self._headers.get(b"content-encoding")
        if coding is None or not body or self._enough():
            return body
        try:
            return unpacked(body, coding.strip().lower(), limit + 1)
        except zlib.error as error:
            if self._status != _OK:  # the status says what is wrong
                return b""
            raise ScrapeError(CUT_OFF) from error

    def _damaged(self, why: str) -> ScrapeError:
        if self._whole_head:
            return ScrapeError(CUT_OFF)
        return ScrapeError(
            f"expected an HTTP response, got {excerpt(self._beginning)} ({why})"
        )
