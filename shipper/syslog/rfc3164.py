"""RFC 3164 (BSD) messages: bytes in, `Message` out, nothing but ParseError raised.

The format has no year, no zone and, with some senders, no hostname and no tag. Which
word is what follows go-syslog (rfc3164/machine.go.rl), which looks at all readings at
once and keeps what the last mark says. Unlike there a text may hold any byte (a tab, a
line break) and the year is the one that brings the time nearest to now.
"""

from __future__ import annotations

import re
from calendar import monthrange
from contextlib import suppress
from datetime import datetime
from typing import Final

from shipper.syslog.message import Message, ParseError


_HEADER: Final = re.compile(
    rb"<(0|[1-9][0-9]?|1[0-8][0-9]|19[01])> *"
    rb"((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    rb"(?: [1-9]|[12][0-9]|3[01]) "
    rb"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]) "
)
_PRI: Final = re.compile(rb"<(?:0|[1-9][0-9]?|1[0-8][0-9]|19[01])>")
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_HOSTNAME: Final = re.compile(rb"[!-9;-~]{1,255}(?= )")
_TAG: Final = re.compile(rb"[!-9;-Z\\-~]{1,48}(?=[:\[])")
_CONTENT: Final = re.compile(rb"\[(?=[!-Z\\-~])([!-Z\\^-~]*)(\])?")
_LEAP_YEAR: Final = 2000


def parse_rfc3164(data: bytes, now: datetime) -> Message:
    """Return the message that *data*, a frame without its framing, is.

    *now* tells the year, and with its time zone what the time means: the sender's clock
    is taken to show the receiver's zone. Raises ParseError.
    """
    header = _HEADER.match(data)
    if header is None:
        known = _PRI.match(data)
        what = "a timestamp as Jan _2 15:04:05" if known else "<priority>, 0 to 191"
        raise ParseError(f"expected {what} at byte {known.end() if known else 0}")
    words = _Words(data.rstrip(b"\r\n"), header.end())
    words.read()
    return Message(
        int(header[1]),
        _timestamp_ns(header[2].decode(), now),
        _field(words.hostname),
        _field(words.tag),
        _field(words.content),
        "",
        words.data[words.mark :],
    )


class _Words:
    """The words after the timestamp. *mark* is where the text begins, so far."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.mark = at
        self.hostname = self.tag = self.content = b""

    def read(self) -> None:
        self._spaces(self.mark)
        start = self.mark
        if self._tag():
            return
        hostname = _HOSTNAME.match(self.data, start)
        if hostname is None:
            return
        self.hostname = self.data[self.mark : hostname.end()]
        self._spaces(hostname.end() + 1)
        self._tag()

    def _spaces(self, at: int) -> None:
        """Move the mark to the next word; without one the last space is the text."""
        data = self.data
        if at >= len(data):
            return
        word = at
        while word < len(data) - 1 and data[word] == 0x20:
            word += 1
        self.mark = word

    def _tag(self) -> bool:
        """Read ``tag[content]: `` at the mark; say whether all of it is there.

        What there is of it counts either way, as in go-syslog.
        """
        data = self.data
        found = _TAG.match(data, self.mark)
        if found is None:
            return False
        self.tag, at = found[0], found.end()
        content = _CONTENT.match(data, at)
        if content is not None:
            self.mark, at = content.start(1), content.end()
            if content[2]:
                self.content = content[1]
        if data[at : at + 2] != b": " or at + 2 >= len(data):
            return False
        self.mark = at + 2
        return True


def _field(value: bytes) -> str:
    return "" if value == b"-" else value.decode("ascii")


def _timestamp_ns(text: str, now: datetime) -> int | None:
    """Return the nanoseconds since 1970 of ``Jan _2 15:04:05``, nearest to *now*.

    None for a 29th of February without a leap year near.
    """
    month = _MONTHS.index(text[:3]) + 1
    day, hour, minute, second = (int(text[at : at + 2]) for at in (4, 7, 10, 13))
    if day > monthrange(_LEAP_YEAR, month)[1]:
        raise ParseError(f"timestamp {text}: day out of range")
    near = []
    for year in (now.year - 1, now.year, now.year + 1):
        with suppress(ValueError):
            time = now.replace(year, month, day, hour, minute, second, 0)
            near.append(time)
    if not near:
        return None
    nearest = min(near, key=lambda time: abs(time - now))
    return int(nearest.timestamp()) * 1_000_000_000
