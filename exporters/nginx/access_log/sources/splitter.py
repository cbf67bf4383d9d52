"""Split what is read of a file into lines, whatever the portions (sans-IO)."""

from __future__ import annotations

from typing import Final


# A request line, referer and user agent of 8 kB each, every byte escaped as \u00XX.
MAX_LINE_BYTES: Final = 256 * 1024


class Splitter:
    """Takes bytes in any portions; keeps at most *limit* of a line without an end."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._rest = b""
        self._is_cut = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take *data*; return the lines that are whole now, without their ends.

        A line over the limit is returned cut, once; an empty one is none. Zeros in
        front (a log that was truncated under a writer that does not append) go.
        """
        *lines, rest = (self._rest + data).split(b"\n")
        if self._is_cut and lines:
            del lines[0]
            self._is_cut = False
        self._rest = b"" if self._is_cut else rest
        if len(self._rest) > self._limit:
            lines.append(self._rest)
            self._rest, self._is_cut = b"", True
        cleaned = (line[: self._limit].lstrip(b"\0").rstrip(b"\r") for line in lines)
        return [line for line in cleaned if line]

    def clear(self) -> None:
        """Forget the beginning of a line: its end will not come."""
        self._rest, self._is_cut = b"", False
