"""Who still waits for an answer: acknowledgements in order, memory within bounds.

Every entry gets a ticket when it is taken and loses it when each client has decided
about it. A cursor hears of its entries in the order it handed them over, however many
lanes and clients they travelled through.

Memory. `Limits.total_bytes` (8 MiB) is shared by all cursors and none may hold more
than `Limits.cursor_bytes` (4 MiB), so a refused container cannot take everything; and
whatever the others hold, each may have `Limits.reserved_bytes` (128 KiB, or one line if
that is longer) of its own, so a healthy one always moves. The policy beyond that is to
wait: Docker's log file is the queue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shipper.pipeline.entry import Cursor, Entry, Labels


ENTRY_COST_BYTES = 352
"""What an entry costs beside its line: tuple, number, bytes object, ticket, slots.

tracemalloc on CPython 3.11 says 330 from Docker's bytes to the batch, the cursor's
share included.
"""

STAGED_COST_BYTES = 400
"""What an entry out of a pipeline costs beside that and its line a second time.

The source keeps the line as it was read, and the pipeline its place.
"""

METADATA_COST_BYTES = 192
"""What a pair of structured metadata costs beside its text: a tuple and two strings."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many bytes may be under way, lines and their overhead together."""

    total_bytes: int = 8 << 20
    cursor_bytes: int = 4 << 20
    reserved_bytes: int = 128 << 10


@dataclass(slots=True)
class Account:
    """What one cursor has under way, in the order it was read."""

    cursor: Cursor
    staged: bool
    pending: deque[Ticket] = field(default_factory=deque)
    held_bytes: int = 0

    def cost(self, entry: Entry) -> int:
        """Return the bytes of memory that *entry* of it holds while it is under way."""
        if not self.staged:
            return cost(entry)
        return cost(entry) + len(entry.line) + STAGED_COST_BYTES


class Ticket:
    """An entry on its way and how many clients have not decided about it yet.

    *entry* is what the cursor gave and gets back, *shipped* is what goes to Loki: the
    same, unless the user's max_line_size cut it.
    """

    __slots__ = ("account", "entry", "labels", "shipped", "undecided")

    def __init__(self, entry: Entry, account: Account, undecided: int) -> None:
        """Issue a ticket for *entry*; *undecided* is the number of clients."""
        self.entry = entry
        self.shipped = entry
        self.labels: Labels = ()
        self.account = account
        self.undecided = undecided


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

    def admits(self, entries: Iterable[Entry], cursor: Cursor) -> bool:
        """Say whether there is room for *entries* of *cursor* now."""
        account = self._accounts.get(id(cursor))
        if account is None:  # one line of its own goes always
            return True
        size = sum(map(account.cost, entries))
        limits = self._limits
        held = account.held_bytes + size
        return held <= limits.reserved_bytes or (
            held <= limits.cursor_bytes and self.held_bytes + size <= limits.total_bytes
        )

    async def room(self) -> None:
        """Wait until something was decided; then ask `admits` again."""
        self._freed.clear()
        await self._freed.wait()

    def enter(self, entry: Entry, cursor: Cursor) -> Ticket:
        """Take *entry* in and return its ticket."""
        account = self._accounts.get(id(cursor))
        if account is None:
            account = Account(cursor, getattr(cursor, "staged", False))
            self._accounts[id(cursor)] = account
        ticket = Ticket(entry, account, self._clients)
        account.pending.append(ticket)
        size = account.cost(entry)
        account.held_bytes += size
        self.held_bytes += size
        self.held_entries += 1
        return ticket

    def undecided(self) -> Iterator[Ticket]:
        """Yield what is out, in reading order for each cursor."""
        for account in self._accounts.values():
            yield from (ticket for ticket in account.pending if ticket.undecided)

    def settle(self, tickets: Iterable[Ticket]) -> None:
        """Note that one client decided about *tickets*; tell their cursors."""
        touched: dict[int, Account] = {}
        for ticket in tickets:
            ticket.undecided -= 1
            if not ticket.undecided:
                touched[id(ticket.account)] = ticket.account
        for account in touched.values():
            self._acknowledge(account)

    def _acknowledge(self, account: Account) -> None:
        done: list[Entry] = []
        freed = 0
        pending = account.pending
        while pending and not pending[0].undecided:
            entry = pending.popleft().entry
            done.append(entry)
            freed += account.cost(entry)
        if not done:
            return
        account.held_bytes -= freed
        self.held_bytes -= freed
        self.held_entries -= len(done)
        if not pending:
            del self._accounts[id(account.cursor)]
        self._freed.set()
        account.cursor.acknowledge(done)


def cost(entry: Entry) -> int:
    """Return the bytes of memory that *entry* holds, of a source without stages."""
    if entry.metadata:
        extra = ENTRY_COST_BYTES + METADATA_COST_BYTES * len(entry.metadata)
        return entry.size_bytes + extra
    return len(entry.line) + ENTRY_COST_BYTES
