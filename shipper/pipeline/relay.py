"""Who waits for what in a pipeline: lines in, records out, acknowledgements back.

A stage may drop a line, join lines, or hold one back while later ones of another stream
pass. The cursor in front still has to hear of its lines in reading order; that order is
kept here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from .entry import Cursor, Entry, Labels, Sink, is_untracked, stream_key
from .record import Record


_SOME_LINE = Entry(0, b"")


class Slot:
    """The place of one line in the reading order of *relay*."""

    __slots__ = ("decided", "relay")

    def __init__(self, relay: Relay) -> None:
        self.decided = False
        self.relay = relay


class Relay:
    """Stands between a sink and one *cursor*: a `Cursor` for what a pipeline puts.

    *on_idle* is called when every line is decided.
    """

    staged = True
    """Whoever holds an entry holds more than the entry: see `shipper.loki.ledger`."""

    __slots__ = ("_cursor", "_on_idle", "_order", "_outbox", "_sent", "_slots", "key")

    def __init__(self, cursor: Cursor, on_idle: Callable[[], object]) -> None:
        self.key = stream_key(cursor)  # not the relay's id: that one goes when idle
        self._cursor = cursor
        self._on_idle = on_idle
        self._slots: deque[Slot] = deque()
        # What left the pipeline and was not put yet. Whoever puts holds the lock, so
        # that what a timer released does not change places with what comes after.
        self._outbox: deque[tuple[Record, float]] = deque()
        self._order = asyncio.Lock()
        self._sent: deque[list[Slot]] = deque()

    @property
    def untracked(self) -> bool:
        """Say whether nobody can give the lines again (see `is_untracked`)."""
        return is_untracked(self._cursor)

    @property
    def waiting(self) -> bool:
        """Say whether something has left the pipeline and was not put yet."""
        return bool(self._outbox)

    def left_over(self) -> Iterator[tuple[Labels, Entry]]:
        """Yield what was not put and nobody will give again; call it at the end."""
        if self.untracked:
            for record, _ in self._outbox:
                yield _labels(record), _entry(record)

    def take(self) -> Slot:
        """Return the place of the next line."""
        slot = Slot(self)
        self._slots.append(slot)
        return slot

    def append(self, record: Record) -> None:
        """Note that *record* has left the pipeline; `put` brings it to the sink."""
        delay = record.delay_seconds
        due = asyncio.get_running_loop().time() + delay if delay else 0.0
        self._outbox.append((record, due))

    async def put(self, sink: Sink) -> None:
        """Put all that has left the pipeline; what a cancellation leaves goes next."""
        outbox = self._outbox
        if not outbox:
            return
        async with self._order:
            while outbox:
                record, due = outbox[0]
                if due:
                    await asyncio.sleep(due - asyncio.get_running_loop().time())
                self._sent.append(record.slots)  # it may be acknowledged at once
                try:
                    await sink.put(_labels(record), _entry(record), self)
                except BaseException:
                    self._sent.pop()
                    raise
                outbox.popleft()

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Note that the oldest ``len(entries)`` records put are done."""
        _decide([slot for _ in entries for slot in self._sent.popleft()])

    def decided(self, record: Record) -> None:
        """Note that *record* was dropped."""
        _decide(record.slots)

    def pass_on(self) -> None:
        """Tell the cursor of the lines up to the first that is not decided."""
        slots, done = self._slots, 0
        while slots and slots[0].decided:
            slots.popleft()
            done += 1
        if done:
            self._cursor.acknowledge((_SOME_LINE,) * done)
        if not slots:
            self._on_idle()


def _decide(slots: Sequence[Slot]) -> None:
    """Note that the lines of *slots* are done, of whichever relays they are."""
    for slot in slots:
        slot.decided = True
    for relay in dict.fromkeys(slot.relay for slot in slots):
        relay.pass_on()


def _labels(record: Record) -> Labels:
    return tuple(sorted(record.labels.items()))


def _entry(record: Record) -> Entry:
    line = record.line.encode("utf-8", "surrogateescape")
    return Entry(record.timestamp_ns, line, tuple(record.metadata))
