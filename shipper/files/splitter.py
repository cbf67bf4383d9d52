"""Cut the bytes of a file into lines. Sans-IO: any split gives the same lines."""

from __future__ import annotations

from typing import NamedTuple


MAX_LINE_BYTES = 1024 * 1024


class FileLine(NamedTuple):
    """A line without its newline, and the offset in the file where the next begins."""

    text: bytes
    end: int


class LineSplitter:
    r"""Lines of a file that is read from *offset* on.

    ``\n`` and ``\r\n`` end a line (promtail ships the ``\r``, which helps nobody). What
    has no newline yet waits for it, as in promtail; `flush` ends it when nothing can
    follow any more. Of a line longer than *max_line_bytes* the beginning is kept, the
    rest dropped, and it is counted in ``truncated``.
    """

    def __init__(self, offset: int = 0, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self.truncated = 0
        self.offset = offset
        """Where the next bytes to feed begin."""
        self._line_start = offset
        self._max = max_line_bytes
        self._parts: list[bytes] = []
        self._held = 0

    @property
    def pending(self) -> bool:
        """Whether a line has begun and not ended."""
        return self.offset > self._line_start

    def feed(self, data: bytes) -> list[FileLine]:
        """Return the lines that end in *data*, the next bytes of the file."""
        if not data:
            return []
        pieces = data.split(b"\n")
        last = pieces.pop()
        end = self.offset
        lines = []
        for piece in pieces:
            end += len(piece) + 1
            if self._held or len(piece) > self._max:
                self._hold(piece)
                piece = self._take()  # noqa: PLW2901  # the whole line, of which this is the end
            lines.append(FileLine(piece.removesuffix(b"\r"), end))
        if lines:
            self._line_start = end
        self.offset += len(data)
        self._hold(last)
        return lines

    def flush(self) -> list[FileLine]:
        """Return what has no newline as a line, if there is anything."""
        if not self.pending:
            return []
        self._line_start = self.offset
        return [FileLine(self._take().removesuffix(b"\r"), self.offset)]

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
        if len(line.removesuffix(b"\r")) > self._max:
            self.truncated += 1
            return line[: self._max]
        return line
