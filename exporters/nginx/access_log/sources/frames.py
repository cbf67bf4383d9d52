"""Messages in a stream: behind their length or ended by a newline (RFC 6587, sans-IO).

Which of the two a message is shows in its first byte: a digit, or ``<``.
"""

from __future__ import annotations

import re
from typing import Final

from exporters.nginx.access_log.sources.splitter import MAX_LINE_BYTES


_LENGTH: Final = re.compile(rb"([1-9]\d{0,7}) (?=<)")
_MAY_BE_LENGTH: Final = re.compile(rb"\d{1,8} ?")


class Frames:
    """Takes bytes in any portions; keeps at most *limit* of each message."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._skip = 0  # bytes that belong to a message that is cut
        self._skip_line = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take *data*; return the messages that are whole now, or cut."""
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            if frame:
                frames.append(frame)
        return frames

    def finish(self) -> list[bytes]:
        """Return what is left at the end of the stream, if it is a message."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return [rest] if rest.startswith(b"<") and not self._skip_line else []

    def _next(self) -> bytes | None:
        """Return a message, b"" for what is none, None when more is needed."""
        buffer = self._buffer
        if self._skip:
            gone = min(self._skip, len(buffer))
            del buffer[:gone]
            self._skip -= gone
        if not buffer or self._skip:
            return None
        length = None if self._skip_line else _LENGTH.match(buffer)
        if length is not None:
            return self._counted(length.end(), int(length[1]))
        if not self._skip_line and _MAY_BE_LENGTH.fullmatch(buffer):
            return None
        return self._to_newline()

    def _counted(self, start: int, size: int) -> bytes | None:
        kept = min(size, self._limit)
        if len(self._buffer) < start + kept:
            return None
        frame = bytes(self._buffer[start : start + kept])
        del self._buffer[: start + kept]
        self._skip = size - kept
        return frame

    def _to_newline(self) -> bytes | None:
        buffer = self._buffer
        end = buffer.find(b"\n")
        if end < 0 and len(buffer) <= self._limit:
            return None
        whole = len(buffer) if end < 0 else end
        frame = b"" if self._skip_line else bytes(buffer[: min(whole, self._limit)])
        del buffer[: whole + 1]
        self._skip_line = end < 0
        return frame
