"""Who still waits for an answer: acknowledgements in order, memory within bounds.

Entries that are put together share a ticket, which is out until each client has decided
about each of them. A cursor hears of its entries in the order it handed them over,
however many lanes and clients they travelled through.

Memory. `Limits.total_bytes` (8 MiB) is shared by all cursors and none may hold more
than `Limits.cursor_bytes` (3 MiB), so a refused container cannot take everything; and
whatever the others hold, each may have `Limits.reserved_bytes` (128 KiB, or one line if
that is longer) of its own, so a healthy one always moves. The policy beyond that is to
wait: Docker's log file is the queue.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from shipper.pipeline.entry import Cursor, Entry, Metadata, Streams, metadata_bytes


ENTRY_COST_BYTES = 220
"""What an entry costs beside its line: tuple, numbers, bytes object, places in lists.

tracemalloc on CPython 3.11 says 219 from Docker's bytes to the batch, the cursor's
share included, where 128 share a ticket.
"""

TICKET_COST_BYTES = 512
"""What entries that are put together cost beside that: the ticket, the cursor's run."""

METADATA_COST_BYTES = 192
"""What a pair of structured metadata costs beside its text: a tuple and two strings."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many bytes may be under way, lines and their overhead together."""

    total_bytes: int = 8 << 20
    cursor_bytes: int = 3 << 20
    reserved_bytes: int = 128 << 10


@dataclass(slots=True)
class Account:
    """What one cursor has under way, in the order it was read."""

    cursor: Cursor
    staged_bytes: int | None
    """What the place of an entry in a pipeline costs; None: it is out of none.

    Out of one its line counts twice: the source keeps it as it was read.
    """
    pending: deque[Ticket] = field(default_factory=deque)
    held_bytes: int = 0

    def cost(self, entries: Sequence[Entry]) -> int:
        """Return the bytes of memory that *entries* of it hold while under way."""
        size = cost(entries) + TICKET_COST_BYTES
        if self.staged_bytes is not None:
            size += len(entries) * self.staged_bytes
            size += sum(map(len, map(_LINE, entries)))
        return size


class Ticket:
    """Entries on their way together and how many decisions about them are to come.

    *streams* is what the cursor gave and gets back.
    """

    __slots__ = ("account", "size", "streams", "undecided")

    def __init__(self, streams: Streams, account: Account, clients: int) -> None:
        """Issue a ticket for *streams*; each client decides about each entry."""
        self.streams = streams
        self.account = account
        self.size = 0
        self.undecided = 0
        for _, entries in streams:
            self.size += account.cost(entries)
            self.undecided += clients * len(entries)

    def entries(self) -> Sequence[Entry]:
        """Return all entries, stream by stream."""
        if len(self.streams) == 1:
            return self.streams[0][1]
        return [entry for _, entries in self.streams for entry in entries]


class Ledger:
    """Every ticket that is out, and the room left for more."""

    def __init__(self, clients: int, limits: Limits) -> None:
        """Keep books for *clients* receivers within *limits*."""
        self._clients = clients
        self._limits = limits
        self._accounts: dict[int, Account] = {}  # by id(): a cursor needs no hash
        self._freed = asyncio.Event()
        self.held_bytes = 0
        self.held_entries = 0

    def admits(self, entries: Sequence[Entry], cursor: Cursor) -> bool:
        """Say whether there is room for *entries* of *cursor* now."""
        account = self._accounts.get(id(cursor))
        if account is None:  # one line of its own goes always
            return True
        size = account.cost(entries)
        limits = self._limits
        held = account.held_bytes + size
        return held <= limits.reserved_bytes or (
            held <= limits.cursor_bytes and self.held_bytes + size <= limits.total_bytes
        )

    async def room(self) -> None:
        """Wait until something was decided; then ask `admits` again."""
        self._freed.clear()
        await self._freed.wait()

    def admits_all(self, streams: Streams, cursor: Cursor) -> bool:
        """Say whether there is room for all of *streams* now."""
        if len(streams) == 1:
            return self.admits(streams[0][1], cursor)
        return self.admits([entry for _, each in streams for entry in each], cursor)

    def enter(self, streams: Streams, cursor: Cursor) -> Ticket:
        """Take *streams* in and return their ticket."""
        account = self._accounts.get(id(cursor))
        if account is None:
            account = Account(cursor, getattr(cursor, "staged_bytes", None))
            self._accounts[id(cursor)] = account
        ticket = Ticket(streams, account, self._clients)
        account.pending.append(ticket)
        account.held_bytes += ticket.size
        self.held_bytes += ticket.size
        self.held_entries += sum([len(entries) for _, entries in streams])
        return ticket

    def undecided(self) -> Iterator[Ticket]:
        """Yield what is out, in reading order for each cursor."""
        for account in self._accounts.values():
            yield from (ticket for ticket in account.pending if ticket.undecided)

    def settle(self, tickets: Iterable[Ticket]) -> None:
        """Note that one client decided about an entry of each of *tickets*.

        Their cursors are told of what all clients have decided about.
        """
        touched: dict[int, Account] = {}
        for ticket, count in Counter(tickets).items():
            ticket.undecided -= count
            if not ticket.undecided:
                touched[id(ticket.account)] = ticket.account
        for account in touched.values():
            self._acknowledge(account)

    def _acknowledge(self, account: Account) -> None:
        done: list[Entry] = []
        freed = 0
        pending = account.pending
        while pending and not pending[0].undecided:
            ticket = pending.popleft()
            done += ticket.entries()
            freed += ticket.size
        if not done:
            return
        account.held_bytes -= freed
        self.held_bytes -= freed
        self.held_entries -= len(done)
        if not pending:
            del self._accounts[id(account.cursor)]
        self._freed.set()
        account.cursor.acknowledge(done)


def cost(entries: Sequence[Entry]) -> int:
    """Return the bytes of memory that *entries* hold, of a source without stages."""
    size = len(entries) * ENTRY_COST_BYTES + sum(map(len, map(_LINE, entries)))
    for metadata in filter(None, map(_METADATA, entries)):
        size += metadata_bytes(metadata) + METADATA_COST_BYTES * len(metadata)
    return size


_LINE: Final[Callable[[Entry], bytes]] = itemgetter(1)
_METADATA: Final[Callable[[Entry], Metadata]] = itemgetter(2)
