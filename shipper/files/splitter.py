"""Cut the bytes of a file into lines. Sans-IO: any split gives the same lines."""

from __future__ import annotations

from typing import NamedTuple

from shipper.files.charset.decoder import Decode


MAX_LINE_BYTES = 1024 * 1024


class FileLine(NamedTuple):
    """A line without its newline, and the offset in the file where the next begins."""

    text: bytes
    end: int


class LineSplitter:
    r"""Lines of a file that is read from *offset* on.

    ``\n`` ends a line; a ``\r`` before it goes with it, unless *keep_cr*. What has no
    newline yet waits for it; `flush` ends it when nothing can follow any more. Of a
    line longer than *max_line_bytes* the beginning is kept, the rest dropped, and it
    is counted in ``truncated``. *decode* makes UTF-8 of each line.
    """

    newline_bytes = 1

    def __init__(
        self,
        offset: int = 0,
        max_line_bytes: int = MAX_LINE_BYTES,
        *,
        keep_cr: bool = False,
        decode: Decode | None = None,
    ) -> None:
        self.truncated = 0
        self.offset = offset
        """Where the next bytes to feed begin."""
        self._line_start = offset
        self._max = max_line_bytes
        self._parts: list[bytes] = []
        self._held = 0
        self._keep_cr = keep_cr
        self._decode = decode

    @property
    def pending(self) -> bool:
        """Whether a line has begun and not ended."""
        return self.offset > self._line_start

    def begins(self, beginning: bytes) -> None:
        """Take the first bytes of the file: what they say about all others."""

    def feed(self, data: bytes) -> list[FileLine]:
        """Return the lines that end in *data*, which stands at ``offset``."""
        if not data:
            return []
        pieces = self._cut(data)
        last = pieces.pop()
        end = self.offset
        lines = []
        for piece in pieces:
            end += len(piece) + self.newline_bytes
            if self._held or len(piece) > self._max:
                self._hold(piece)
                piece = self._take()  # noqa: PLW2901  # the whole line, of which this is the end
            lines.append(FileLine(self._text(piece), end))
        if lines:
            self._line_start = end
        self.offset = end + len(last)
        self._hold(last)
        return lines

    def flush(self) -> list[FileLine]:
        """Return what has no newline as a line, if there is anything."""
        if not self.pending:
            return []
        self._line_start = self.offset
        return [FileLine(self._text(self._take()), self.offset)]

    def _cut(self, data: bytes) -> list[bytes]:
        """Return the lines that *data* ends, and what comes after the last one."""
        return data.split(b"\n")

    def _text(self, line: bytes) -> bytes:
        text = line if self._decode is None else self._decode(line)
        return text if self._keep_cr else text.removesuffix(b"\r")

    def _hold(self, piece: bytes) -> None:
        # Two bytes more than allowed are kept: a \r that belongs to the end of the
        # line, and one that tells _take that the line was cut.
        room = self._max + 2 - self._held
        if room > 0 and piece:
            self._parts.append(piece[:room])
            self._held += len(self._parts[-1])

    def _take(self) -> bytes:
        line = b"".join(self._parts)
        self._parts.clear()
        self._held = 0
        if len(line if self._keep_cr else line.removesuffix(b"\r")) > self._max:
            self.truncated += 1
            return line[: self._max]
        return line
