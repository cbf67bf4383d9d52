"""Messages that end with a newline (RFC 6587 3.4.2), sans-IO.

A line that does not begin with ``<`` continues the message before it, as in go-syslog
(nontransparent/parser.go.rl). So a message is known to be whole only when the next one
begins, which is when promtail ships it; here `flush` ships it after a short silence.
"""

from __future__ import annotations

from shipper.syslog.frame import Frame, Piece


class LineSplitter:
    """Takes bytes in any portions; keeps at most twice *limit* of them."""

    def __init__(self, limit: int) -> None:
        self._line = Piece(limit)
        self._message = Piece(limit)
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """Say whether a message waits for a continuation, with nothing after it."""
        return self._is_open and not self._line

    def feed(self, data: bytes) -> list[Frame]:
        """Take *data*; return the messages that are whole now."""
        frames: list[Frame] = []
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._line.add(part)
            self._end_line(frames)
        if rest:
            self._line.add(rest)
            if self._line.startswith(b"<"):
                frames += self.flush()
        return frames

    def flush(self) -> list[Frame]:
        """Return the message that waits for a continuation, if there is one."""
        if not self._is_open:
            return []
        self._is_open = False
        return [self._message.take()]

    def finish(self) -> list[Frame]:
        """Return what is left at the end of the stream.

        A line without its newline is a message of its own, as in go-syslog.
        """
        frames = self.flush()
        if self._line:
            frames.append(self._line.take())
        return frames

    def _end_line(self, frames: list[Frame]) -> None:
        line = self._line.take()
        if line.data.startswith(b"<"):
            frames += self.flush()
            self._message.add(line.data, cut=line.cut)
            self._is_open = True
        elif self._is_open:
            self._message.add(b"\n" + line.data, cut=line.cut)
        elif line.data.strip():
            frames.append(line)
