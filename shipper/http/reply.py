"""Take an answer in HTTP/1 apart as it arrives: bytes in, an `Reply` out, no I/O.

The parser is llhttp's (httptools), with the leniencies that net/http has, too: bare
line feeds, blanks around a chunk's size. Bounds and the end of a body are decided here.
"""

from __future__ import annotations

import zlib
from typing import Final, NamedTuple

import httptools

from .coding import unpacked
from .faults import DamagedError, NoAnswerError


MAX_HEAD_BYTES: Final = 64 * 1024
"""What may come in a row that is no body: status line, headers, trailers, hints."""

_SWITCHING_PROTOCOLS: Final = 101
_OK: Final = 200

_LENGTH: Final = frozenset({b"content-length", b"transfer-encoding"})
_TOLD: Final = frozenset(
    {b"content-encoding", b"content-type", b"date", b"location", b"retry-after"}
)


class Expected(NamedTuple):
    """What answer is expected: how much of a body is wanted, if there is one at all.

    *tunnel*: to a CONNECT, whose answer has none.
    """

    max_bytes: int
    tunnel: bool = False


class Reply(NamedTuple):
    """What a server answered.

    *body* is unpacked and cut where it is longer than was wanted. *damage* says why it
    is not whole, "" where it is. *headers* are those that mean something to who asks,
    in lower case, of several the first.
    """

    status: int
    words: str
    headers: dict[bytes, bytes]
    body: bytes
    damage: str = ""

    def header(self, name: bytes) -> str | None:
        """Return the header *name*, which is in lower case; None without it."""
        value = self.headers.get(name)
        return None if value is None else value.decode("utf-8", "replace").strip()

    def text(self) -> str:
        """Return the body as text; raise DamagedError where it is not whole."""
        if self.damage:
            raise DamagedError(self.damage)
        return self.body.decode("utf-8", "replace")

    @property
    def content_type(self) -> str:
        """Return the media type in lower case, without its parameters."""
        found = (self.header(b"content-type") or "").partition(";")[0].strip().lower()
        return found or "application/octet-stream"


class ReplyReader:
    """Read the answers of one connection, one after the other.

    `start` says that one is expected. Then `feed` takes what arrives, until it returns
    the answer, and `end` is told that no more will. Both raise HttpError for what is
    no answer; nothing can be read from the connection after that.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_lf_after_cr=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self.start(Expected(0))

    def start(self, expected: Expected) -> None:
        """Expect an answer."""
        self.reusable = False
        self._expected = expected
        self._status = 0
        self._words = b""
        self._began = self._whole_head = self._until_close = False
        self._done = self._surplus = False
        self._headers: dict[bytes, bytes] = {}
        self._parts: list[bytes] = []
        self._size = self._without_body = 0

    def feed(self, data: memoryview | bytes) -> Reply | None:
        """Return the answer if *data* is its end; `reusable` holds true from then on.

        It does where the connection is as before: kept, and nothing came behind.
        """
        self._began = True
        before = self._size
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._surplus = True
        except httptools.HttpParserError as error:
            self._surplus = True
            if not self._over():
                raise DamagedError(f"no answer of HTTP: {error}") from error
        if self._over():
            kept = self._status == _OK if self._expected.tunnel else self.reusable
            done = self._done or self._expected.tunnel
            self.reusable = kept and done and not self._surplus
            return self._reply()
        self._without_body = (
            0 if self._size > before else self._without_body + len(data)
        )
        if self._without_body > MAX_HEAD_BYTES:
            raise DamagedError(f"more than {MAX_HEAD_BYTES} bytes of headers")
        return None

    def end(self, why: str = "") -> Reply:
        """Return the answer that ends with the connection.

        *why* says what broke it, "" where the other side closed it.
        """
        if not self._began:
            raise NoAnswerError(why or "connection closed without an answer")
        if not self._whole_head:
            raise DamagedError(why or "connection closed in the middle of an answer")
        if why or not self._until_close:
            return self._reply(why or "connection closed in the middle of an answer")
        return self._reply()

    # --- what llhttp calls

    def on_message_begin(self) -> None:
        """Note what comes behind the answer."""
        self._surplus = self._surplus or self._done

    def on_status(self, words: bytes) -> None:
        """Keep what the status line says behind the number."""
        if not self._done:
            self._words += words

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the headers that matter, of several the first as Go does."""
        name = name.lower()
        if not self._done and (name in _TOLD or name in _LENGTH):
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
        if self._over():
            self._surplus = True
            return
        self._parts.append(data)
        self._size += len(data)

    def on_message_complete(self) -> None:
        """Go on behind "100 Continue" and the like, else be done."""
        if not self._whole_head:
            self._headers.clear()
            self._words = b""
        elif not self._done:
            self._done = True
            self.reusable = self._parser.should_keep_alive()

    # ---

    def _over(self) -> bool:
        expected = self._expected
        if self._done or self._size > expected.max_bytes:
            return True
        return expected.tunnel and self._whole_head

    def _reply(self, damage: str = "") -> Reply:
        most = max(self._expected.max_bytes, 1)  # 0 would mean no bound to zlib
        body = b"".join(self._parts)
        self._parts = []  # nothing of it is kept with an idle connection
        coding = self._headers.get(b"content-encoding")
        if coding is not None and body:
            try:
                body = unpacked(body, coding.strip().lower(), most)
            except zlib.error as error:
                body, damage = b"", damage or f"damaged body: {error}"
        words = self._words.decode("utf-8", "replace").strip()
        kept = body[: self._expected.max_bytes]
        return Reply(self._status, words, self._headers, kept, damage)
