"""From syslog messages to lines: which access log a message belongs to, if any."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from exporters.nginx.access_log.sources.syslog import is_error_log, parse_message


log = logging.getLogger(__name__)

Line = Callable[[bytes], None]
"""Takes one line of an access log, without its newline."""

REASONS: Final = ("error_log", "malformed", "tag")
_QUIET_SECONDS: Final = 60.0
_SHOWN_BYTES: Final = 80


class Intake:
    """The messages to the address *source*; *routes* has the lines' taker by tag."""

    def __init__(self, source: str, routes: Mapping[str, Line]) -> None:
        self.skipped: Counter[str] = Counter()
        self._source = source
        self._routes = {tag.encode(): line for tag, line in routes.items()}
        self._quiet_until = dict.fromkeys(REASONS, 0.0)

    def take(self, data: bytes) -> None:
        """Hand on the line in *data*, one message, or count why there is none."""
        message = parse_message(data)
        if message is None:
            self._skip("malformed", data)
            return
        tag, text = message
        line = self._routes.get(tag)
        if line is None:
            self._skip("tag", data)
        elif is_error_log(text):
            self._skip("error_log", data)
        else:
            line(text)

    def _skip(self, reason: str, data: bytes) -> None:
        self.skipped[reason] += 1
        now = time.monotonic()
        if reason == "error_log" or now < self._quiet_until[reason]:
            return
        self._quiet_until[reason] = now + _QUIET_SECONDS
        log.warning(
            "A message is no line of an access log",
            extra={
                "fields": {
                    "source": self._source,
                    "reason": reason,
                    "expected_tags": ",".join(tag.decode() for tag in self._routes),
                    "message": data[:_SHOWN_BYTES].decode("utf-8", "replace"),
                    "skipped": self.skipped[reason],
                }
            },
        )


def fan_out(lines: Iterable[Line]) -> Line:
    """Return what hands a line on to each of *lines*."""
    takers = tuple(lines)
    if len(takers) == 1:
        return takers[0]

    def line(text: bytes) -> None:
        for take in takers:
            take(text)

    return line


def printing(line: Line) -> Line:
    """Return what writes a line to stdout, then hands it on to *line* (print_log)."""

    def printed(text: bytes) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.buffer.write(text + b"\n")
            sys.stdout.buffer.flush()
        line(text)

    return printed
