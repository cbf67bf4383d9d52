"""Messages behind their length (RFC 6587 3.4.1, RFC 5425), sans-IO.

Where go-syslog gives the connection up (a message over the limit, bytes that are no
length), a message is cut, and bytes up to the next newline are one of their own.
"""

from __future__ import annotations

import re
from typing import Final

from shipper.syslog.frame import Frame, Piece


# More than 99 MB is no length.
_LENGTH: Final = re.compile(rb"(0{0,9}[1-9][0-9]{0,7}) (?=<)")
_MAY_BE_LENGTH: Final = re.compile(rb"[0-9]{1,19} ?")
NO_LENGTH: Final = "expected a length, a space and <"
CUT_SHORT: Final = "the stream ended before the message did"


class OctetSplitter:
    """Takes bytes in any portions; keeps at most *limit* of each message."""

    def __init__(self, limit: int) -> None:
        self._buffer = bytearray()
        self._message = Piece(limit)
        self._missing = 0
        self._is_lost = False

    @property
    def is_open(self) -> bool:
        """Say that no message waits for a continuation."""
        return False

    def feed(self, data: bytes) -> list[Frame]:
        """Take *data*; return the messages that are whole now."""
        self._buffer += data
        frames: list[Frame] = []
        while self._buffer and self._step(frames):
            pass
        return frames

    def flush(self) -> list[Frame]:
        """Return nothing: a message is whole when its last byte is there."""
        return []

    def finish(self) -> list[Frame]:
        """Return what is left at the end of the stream."""
        if self._missing:
            self._missing = 0
            return [self._message.take(CUT_SHORT)]
        self._message.add(self._buffer)
        self._buffer.clear()
        left, self._is_lost = self._message.take(NO_LENGTH), False
        return [left] if left.data.strip() else []

    def _step(self, frames: list[Frame]) -> bool:
        """Do what the buffer allows; return False when more bytes are needed."""
        if self._missing:
            return self._body(frames)
        if self._is_lost:
            return self._to_newline(frames)
        return self._length()

    def _length(self) -> bool:
        buffer = self._buffer
        while buffer.startswith((b"\n", b"\r")):
            del buffer[:1]
        length = _LENGTH.match(buffer)
        if length is not None:
            self._missing = int(length[1])
            del buffer[: length.end()]
            return True
        if not buffer or _MAY_BE_LENGTH.fullmatch(buffer):
            return False
        self._is_lost = True
        return True

    def _body(self, frames: list[Frame]) -> bool:
        part = self._buffer[: self._missing]
        del self._buffer[: self._missing]
        self._message.add(part)
        self._missing -= len(part)
        if self._missing:
            return False
        frames.append(self._message.take())
        return True

    def _to_newline(self, frames: list[Frame]) -> bool:
        part, newline, rest = self._buffer.partition(b"\n")
        self._message.add(part)
        self._buffer = rest
        if not newline:
            return False
        self._is_lost = False
        frames.append(self._message.take(NO_LENGTH))
        return True
