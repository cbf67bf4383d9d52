"""What goes into one push: the entries of one stream, by size and by age."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from .encode import ENTRY_OVERHEAD_BYTES, METADATA_OVERHEAD_BYTES
from .ledger import Ticket


DECODED_LIMIT_BYTES = 1 << 20
"""Loki answers 500 for ever to a push over 4 MiB decoded (grafana/loki#8154).

promtail counts lines and metadata only, so a million empty lines make a push of 20 MiB.
This is the limit on the message itself; a single longer line still goes, alone.
"""


class Peak(NamedTuple):
    """No entry of a batch has more than this; sizes are in bytes."""

    line_bytes: int = 0
    metadata_bytes: int = 0
    metadata_pairs: int = 0


UNKNOWN_PEAK: Final = Peak(1 << 62, 1 << 62, 1 << 62)


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one stream in reading order, to be pushed together.

    *peak* spares a look at every entry where none can be over a limit.
    """

    tickets: tuple[Ticket, ...]
    peak: Peak = UNKNOWN_PEAK

    def of(self, tickets: Iterable[Ticket]) -> Batch:
        """Return a batch of some of the entries."""
        return Batch(tuple(tickets), self.peak)

    def halves(self) -> tuple[Batch, Batch]:
        """Return two batches in order; only for batches of two entries or more."""
        middle = len(self.tickets) // 2
        assert middle, "one entry cannot be split"
        return self.of(self.tickets[:middle]), self.of(self.tickets[middle:])

    def first(self) -> tuple[Batch, Batch]:
        """Return the first entry and the rest; only for two entries or more."""
        assert len(self.tickets) > 1, "one entry cannot be split"
        return self.of(self.tickets[:1]), self.of(self.tickets[1:])


class Builder:
    """Collects tickets of one stream until they make a batch."""

    def __init__(self, *, size_bytes: int, wait_seconds: float) -> None:
        """Close batches before *size_bytes* of lines and metadata, or by their age.

        promtail clients/pkg/promtail/client/client.go (run), batch.go.
        """
        self._size_bytes = size_bytes
        self._wait_seconds = wait_seconds
        self._tickets: list[Ticket] = []
        self._size = 0
        self._decoded_bytes = 0
        self._longest = 0
        self._metadata_bytes = self._metadata_pairs = 0
        self._oldest = 0.0

    def __len__(self) -> int:
        return len(self._tickets)

    def add(self, ticket: Ticket, now: float) -> Batch | None:
        """Add *ticket*; return the batch that had to be closed to make room for it."""
        entry = ticket.shipped
        metadata = entry.metadata
        size = length = len(entry.line)
        decoded = size + ENTRY_OVERHEAD_BYTES
        if metadata:
            size = entry.size_bytes
            decoded = size + ENTRY_OVERHEAD_BYTES
            decoded += len(metadata) * METADATA_OVERHEAD_BYTES
        closed = None
        if self._tickets and (
            self._size + size > self._size_bytes
            or self._decoded_bytes + decoded > DECODED_LIMIT_BYTES
        ):
            closed = self.take()
        if not self._tickets:
            self._oldest = now
        if length > self._longest:  # noqa: PLR1730 - a call of max() for each line
            self._longest = length
        if metadata:
            self._metadata_bytes = max(self._metadata_bytes, size - length)
            self._metadata_pairs = max(self._metadata_pairs, len(metadata))
        self._tickets.append(ticket)
        self._size += size
        self._decoded_bytes += decoded
        return closed

    def due_in(self, now: float) -> float:
        """Return the seconds until what is here must go; zero or less: now."""
        return self._oldest + self._wait_seconds - now

    def take(self) -> Batch:
        """Return what is here, and start again with nothing."""
        peak = Peak(self._longest, self._metadata_bytes, self._metadata_pairs)
        batch = Batch(tuple(self._tickets), peak)
        self._tickets = []
        self._size = self._decoded_bytes = self._longest = 0
        self._metadata_bytes = self._metadata_pairs = 0
        return batch
