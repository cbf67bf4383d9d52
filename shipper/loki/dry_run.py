"""-dry-run: print entries instead of sending them (promtail client/logger.go)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

from shipper.config.model import ClientConfig
from shipper.pipeline.entry import AlwaysRoom, Cursor, Entry, Labels
from shipper.show import show

from .encode import format_labels, utf8


class Printer(AlwaysRoom):
    """A sink that writes one line per entry and acknowledges it.

    Nothing may keep what it acknowledges: positions are only read in a dry run.
    """

    def __init__(self, out: TextIO) -> None:
        """Print to *out*, whatever its encoding: a line goes byte for byte."""
        out.flush()
        self._out = out.buffer

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        """Print *entry* at once."""
        self._out.write(format_entry(labels, entry) + b"\n")
        self._out.flush()
        cursor.acknowledge((entry,))


def clients_configured(clients: Iterable[ClientConfig]) -> str:
    """Return what promtail prints first: every client, without secrets."""
    parts = ["Clients configured:"]
    for client in clients:
        parts += ["-" * 22, show(client)]
    return "\n".join(parts) + "\n"


def format_entry(labels: Labels, entry: Entry) -> bytes:
    """Return time, labels and line with tabs between; the time in UTC, as Go has it.

    Metadata is not shown there. promtail leaves a tab out where what is in front of it
    is a multiple of eight long; a reader of these lines is better off with all.
    """
    seconds, nanos = divmod(entry.timestamp_ns, 1_000_000_000)
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    head = f"{stamp}{fraction}+0000\t{format_labels(labels)}\t"
    return utf8(head) + entry.line
