"""What goes into one push: the entries of one stream, by size and by age."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple

from shipper.pipeline.entry import Entry, Metadata

from .encode import ENTRY_OVERHEAD_BYTES, METADATA_OVERHEAD_BYTES
from .ledger import Ticket


DECODED_LIMIT_BYTES = 1 << 20
"""Loki answers 500 for ever to a push over 4 MiB decoded (grafana/loki#8154).

promtail counts lines and metadata only, so a million empty lines make a push of 20 MiB.
This is the limit on the message itself; a single longer line still goes, alone.
"""


_LINE: Final[Callable[[Entry], bytes]] = itemgetter(1)
_METADATA: Final[Callable[[Entry], Metadata]] = itemgetter(2)


class Peak(NamedTuple):
    """No entry of a batch has more than this; sizes are in bytes."""

    line_bytes: int = 0
    metadata_bytes: int = 0
    metadata_pairs: int = 0


UNKNOWN_PEAK: Final = Peak(1 << 62, 1 << 62, 1 << 62)


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one stream in reading order, to be pushed together.

    *tickets* has that of each entry, the same one for neighbours that were put
    together. *peak* spares a look at every entry where none can be over a limit.
    """

    tickets: Sequence[Ticket]
    entries: Sequence[Entry]
    peak: Peak = UNKNOWN_PEAK

    def __len__(self) -> int:
        return len(self.entries)

    def of(self, places: Sequence[int]) -> Batch:
        """Return a batch of the entries at *places*."""
        tickets, entries = self.tickets, self.entries
        return Batch(
            [tickets[at] for at in places], [entries[at] for at in places], self.peak
        )

    def halves(self) -> tuple[Batch, Batch]:
        """Return two batches in order; only for batches of two entries or more."""
        middle = len(self) // 2
        assert middle, "one entry cannot be split"
        return self._cut(middle)

    def first(self) -> tuple[Batch, Batch]:
        """Return the first entry and the rest; only for two entries or more."""
        assert len(self) > 1, "one entry cannot be split"
        return self._cut(1)

    def _cut(self, at: int) -> tuple[Batch, Batch]:
        return (
            Batch(self.tickets[:at], self.entries[:at], self.peak),
            Batch(self.tickets[at:], self.entries[at:], self.peak),
        )


class Builder:
    """Collects entries of one stream until they make a batch."""

    def __init__(self, *, size_bytes: int, wait_seconds: float) -> None:
        """Close batches before *size_bytes* of lines and metadata, or by their age.

        promtail clients/pkg/promtail/client/client.go (run), batch.go.
        """
        self._size_bytes = size_bytes
        self._wait_seconds = wait_seconds
        self._tickets: list[Ticket] = []
        self._entries: list[Entry] = []
        self._size = 0
        self._decoded_bytes = 0
        self._longest = 0
        self._metadata_bytes = self._metadata_pairs = 0
        self._oldest = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def add_all(
        self, ticket: Ticket, entries: Sequence[Entry], now: float
    ) -> list[Batch]:
        """Add *entries*; return the batches that had to be closed to make room."""
        lengths = list(map(len, map(_LINE, entries)))
        size, decoded = sum(lengths), len(entries) * ENTRY_OVERHEAD_BYTES
        if (
            self._size + size > self._size_bytes
            or self._decoded_bytes + size + decoded > DECODED_LIMIT_BYTES
            or any(map(_METADATA, entries))
        ):
            closed = [self.add(ticket, entry, now) for entry in entries]
            return [batch for batch in closed if batch]
        if not self._entries:
            self._oldest = now
        self._longest = max(self._longest, *lengths)
        self._tickets += [ticket] * len(entries)
        self._entries += entries
        self._size += size
        self._decoded_bytes += size + decoded
        return []

    def add(self, ticket: Ticket, entry: Entry, now: float) -> Batch | None:
        """Add *entry*; return the batch that had to be closed to make room for it."""
        metadata = entry.metadata
        size = length = len(entry.line)
        decoded = size + ENTRY_OVERHEAD_BYTES
        if metadata:
            size = entry.size_bytes
            decoded = size + ENTRY_OVERHEAD_BYTES
            decoded += len(metadata) * METADATA_OVERHEAD_BYTES
        closed = None
        if self._entries and (
            self._size + size > self._size_bytes
            or self._decoded_bytes + decoded > DECODED_LIMIT_BYTES
        ):
            closed = self.take()
        if not self._entries:
            self._oldest = now
        if length > self._longest:  # noqa: PLR1730 - a call of max() for each line
            self._longest = length
        if metadata:
            self._metadata_bytes = max(self._metadata_bytes, size - length)
            self._metadata_pairs = max(self._metadata_pairs, len(metadata))
        self._tickets.append(ticket)
        self._entries.append(entry)
        self._size += size
        self._decoded_bytes += decoded
        return closed

    def due_in(self, now: float) -> float:
        """Return the seconds until what is here must go; zero or less: now."""
        return self._oldest + self._wait_seconds - now

    def take(self) -> Batch:
        """Return what is here, and start again with nothing."""
        peak = Peak(self._longest, self._metadata_bytes, self._metadata_pairs)
        batch = Batch(self._tickets, self._entries, peak)
        self._tickets, self._entries = [], []
        self._size = self._decoded_bytes = self._longest = 0
        self._metadata_bytes = self._metadata_pairs = 0
        return batch
