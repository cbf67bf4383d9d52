"""From the bytes of one connection, or one datagram, to messages, sans-IO.

As promtail (syslogparser.go) the first byte says which framing it is: a digit begins a
length. Where promtail closes the connection, for any first byte but that and ``<``, the
lines are taken as they are.
"""

from __future__ import annotations

from typing import Final

from shipper.syslog.frame import Frame
from shipper.syslog.lines import LineSplitter
from shipper.syslog.octets import OctetSplitter


LONGEST_LINE: Final = 256 * 1024
"""promtail knows no limit for a message that ends with a newline. This is Loki's."""


class Splitter:
    """Takes bytes in any portions; *max_message_length* bounds what is kept of one."""

    def __init__(self, max_message_length: int) -> None:
        self._limit = max_message_length
        self._by_framing: LineSplitter | OctetSplitter | None = None

    @property
    def is_open(self) -> bool:
        """Say whether `flush` has a message that may still be continued."""
        return self._by_framing is not None and self._by_framing.is_open

    def feed(self, data: bytes) -> list[Frame]:
        """Take *data*; return the messages that are whole now."""
        if not data:
            return []
        if self._by_framing is None:
            self._by_framing = self._choose(data[0])
        return self._by_framing.feed(data)

    def flush(self) -> list[Frame]:
        """Return the message that could have been continued, after a silence."""
        return self._by_framing.flush() if self._by_framing else []

    def finish(self) -> list[Frame]:
        """Return what is left at the end of the stream."""
        return self._by_framing.finish() if self._by_framing else []

    def _choose(self, first: int) -> LineSplitter | OctetSplitter:
        if 0x30 <= first <= 0x39:
            return OctetSplitter(self._limit)
        return LineSplitter(max(self._limit, LONGEST_LINE))
