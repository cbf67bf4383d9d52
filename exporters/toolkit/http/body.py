"""Leave out the body of a request, which no handler here reads, to find the next one.

Upstream counterpart: Go's ``net/http``, ``internal/chunked.go`` and finishRequest: so
much of a body is thrown away for the sake of the connection, and no more.
"""

from __future__ import annotations

import re


# Go's maxPostHandlerReadBytes.
MAX_BODY_BYTES = 256 * 1024
_MAX_LINE_BYTES = 4096

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r\n", re.DOTALL)


class Body:
    """The body of one request: *length* bytes, None for one in chunks.

    *broken*: it is not as it should be, or too long; nothing behind it can be read.
    """

    __slots__ = ("_chunked", "_left", "_total", "_where", "broken")

    def __init__(self, length: int | None) -> None:
        self._chunked = length is None
        self._left = length or 0
        self._total = 0
        self._where = "size" if self._chunked else "data"
        self.broken = self._left >= MAX_BODY_BYTES

    def take(self, buffer: bytearray) -> bool:
        """Remove what *buffer* has of the body; tell whether that was all of it."""
        while not self.broken:
            if self._left:
                gone = min(self._left, len(buffer))
                del buffer[:gone]
                self._left -= gone
                if self._left:
                    return False
            if not self._chunked or self._where == "end":
                return True
            line = self._line(buffer)
            if line is None:
                return self.broken
            self._next(line)
        return True

    def _line(self, buffer: bytearray) -> bytes | None:
        """Return the next line and remove it; None if it is not whole."""
        end = buffer.find(b"\n", 0, _MAX_LINE_BYTES) + 1
        if not end:
            self.broken = len(buffer) >= _MAX_LINE_BYTES
            return None
        line = bytes(buffer[:end])
        del buffer[:end]
        return line

    def _next(self, line: bytes) -> None:
        """Go on behind *line*: a size, the end of a chunk, or a trailer."""
        self._total += len(line)
        if self._where == "size":
            size = _SIZE.fullmatch(line)
            self._left = int(size[1], 16) if size else 0
            self._total += self._left
            self._where = "chunk" if self._left else "trailer"
            self.broken = size is None or self._total > MAX_BODY_BYTES
        elif self._where == "chunk":
            self._where, self.broken = "size", line != b"\r\n"
        elif line == b"\r\n":
            self._where = "end"
        else:
            self.broken = self._total > MAX_BODY_BYTES
