"""-dry-run: print entries instead of sending them (promtail client/logger.go)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TextIO

from shipper.pipeline.entry import Cursor, Entry, Labels

from .encode import format_labels


class Printer:
    """A sink that writes one line per entry and acknowledges it.

    Nothing may keep what it acknowledges: positions are only read in a dry run.
    """

    def __init__(self, out: TextIO) -> None:
        """Print to *out*."""
        self._out = out

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        """Print *entry* at once."""
        self._out.write(format_entry(labels, entry) + "\n")
        self._out.flush()
        cursor.acknowledge((entry,))


def format_entry(labels: Labels, entry: Entry) -> str:
    """Return time, labels and line with tabs between; the time in UTC, as Go has it."""
    seconds, nanos = divmod(entry.timestamp_ns, 1_000_000_000)
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    line = entry.line.decode("utf-8", "replace")
    return f"{stamp}{fraction}+0000\t{format_labels(labels)}\t{line}"
