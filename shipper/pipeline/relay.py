"""Who waits for what in a pipeline: lines in, records out, acknowledgements back.

A stage may drop a line; some join lines, or hold one back while later ones of another
stream pass. The cursor in front still has to hear of its lines in reading order; that
order is kept here: by `Counting` where no stage holds anything back, else by `Placing`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, takewhile
from typing import Any, ClassVar, Final

from .entry import (
    BoundedSink,
    Cursor,
    Entry,
    Labels,
    Streams,
    is_untracked,
    stream_key,
)
from .labelset import LabelSet
from .record import Record


MAX_TOGETHER: Final = 256
"""Records that are put together, and so acknowledged together, at the most."""

_SOME_LINE = Entry(0, b"")


class Relay(ABC):
    """Stands between a sink and one *cursor*: a `Cursor` for what a pipeline puts.

    *on_idle* is called when every line is decided.
    """

    staged_bytes: ClassVar[int]
    """What it holds of an entry that is put: see `shipper.loki.ledger`."""

    __slots__ = (
        "_cursor",
        "_given",
        "_is_taking",
        "_labels",
        "_on_idle",
        "_order",
        "_put_count",
        "key",
        "outbox",
    )

    def __init__(self, cursor: Cursor, on_idle: Callable[[], object]) -> None:
        self.key = stream_key(cursor)  # not the relay's id: that one goes when idle
        self._cursor = cursor
        self._on_idle = on_idle
        self._is_taking = False
        self._put_count = 0
        self._given: Labels = ()
        self._labels = LabelSet.of(())
        self.outbox: deque[Record] = deque()
        """What left the pipeline and was not put yet."""
        # Whoever puts holds the lock, so that what a timer released does not change
        # places with what comes after.
        self._order = asyncio.Lock()

    @property
    def untracked(self) -> bool:
        """Say whether nobody can give the lines again (see `is_untracked`)."""
        return is_untracked(self._cursor)

    def left_over(self) -> Iterator[tuple[Labels, Entry]]:
        """Yield what was not put and nobody will give again; call it at the end."""
        if self.untracked:
            for record in self.outbox:
                yield record.labels.pairs, entry_of(record)

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Keep it while lines are taken one after the other, idle or not."""
        self._is_taking = True
        try:
            yield
        finally:
            self._is_taking = False
        self.pass_on()

    @abstractmethod
    def take(self) -> list[Any] | None:
        """Count the next line; return its place, for `Record.slots`, if it has one."""

    def labels_of(self, given: Labels) -> LabelSet:
        """Return the set of *given*: mostly those of the line before."""
        if given is not self._given:
            self._given, self._labels = given, LabelSet.of(given)
        return self._labels

    def append(self, record: Record) -> None:
        """Note that *record* has left the pipeline; `put` brings it to the sink."""
        if record.delay_seconds:
            now = asyncio.get_running_loop().time()
            record.due_at = now + record.delay_seconds
        self.outbox.append(record)

    async def put(self, sink: BoundedSink) -> None:
        """Put all that has left the pipeline; what a cancellation leaves goes next."""
        outbox = self.outbox
        if not outbox:
            return
        async with self._order:
            while outbox:
                if due := outbox[0].due_at:
                    await asyncio.sleep(due - asyncio.get_running_loop().time())
                records = self._together()
                await self._put(sink, records)
                self._put_count += len(records)
                if len(records) == len(outbox):
                    outbox.clear()
                else:
                    for _ in records:
                        outbox.popleft()

    def _together(self) -> list[Record]:
        """Return what may be put now: a record that was due, or those before one."""
        records = list(islice(self.outbox, MAX_TOGETHER))
        if not any(record.due_at for record in records):
            return records
        later = takewhile(lambda record: not record.due_at, records[1:])
        return records[:1] if records[0].due_at else [records[0], *later]

    @abstractmethod
    async def _put(self, sink: BoundedSink, records: list[Record]) -> None:
        """Put *records*, which may be acknowledged at once."""

    @abstractmethod
    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Note that the oldest ``len(entries)`` records put are done."""

    @abstractmethod
    def pass_on(self) -> None:
        """Tell the cursor of the lines up to the first that is not decided."""

    @abstractmethod
    def decided(self, record: Record) -> None:
        """Note that *record* was dropped."""


class Counting(Relay):
    """Each line leaves the pipeline at once or is dropped.

    So only what was dropped has to be remembered, and that by number.
    """

    staged_bytes = 0

    __slots__ = ("_done", "_dropped")

    def __init__(self, cursor: Cursor, on_idle: Callable[[], object]) -> None:
        super().__init__(cursor, on_idle)
        self._done = 0  # records acknowledged
        # After how many records how many lines were dropped: they wait for those.
        self._dropped: deque[tuple[int, int]] = deque()

    def take(self) -> None:
        """Give no place: the order says all."""

    @property
    def _left(self) -> int:
        """How many records have left the pipeline."""
        return self._put_count + len(self.outbox)

    async def _put(self, sink: BoundedSink, records: list[Record]) -> None:
        await sink.put_all(streams_of(records), self)

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Note that the oldest ``len(entries)`` records put are done."""
        self._done += len(entries)
        self.pass_on(entries)

    def decided(self, record: Record) -> None:  # noqa: ARG002 - any line is like another
        """Note that *record* was dropped."""
        left, dropped = self._left, self._dropped
        count = dropped.pop()[1] if dropped and dropped[-1][0] == left else 0
        dropped.append((left, count + 1))
        self.pass_on()

    def pass_on(self, entries: Sequence[Entry] = ()) -> None:
        """Tell the cursor of *entries*, and of what was dropped up to the next one."""
        if self._is_taking:
            return  # nobody puts meanwhile: there are no *entries*
        done, dropped, count = self._done, self._dropped, 0
        while dropped and dropped[0][0] <= done:
            count += dropped.popleft()[1]
        if lines := (*entries, *(_SOME_LINE,) * count) if count else entries:
            self._cursor.acknowledge(lines)
        if done == self._left and not dropped:
            self._on_idle()


class Slot:
    """The place of one line in the reading order of *relay*."""

    __slots__ = ("decided", "relay")

    def __init__(self, relay: Placing) -> None:
        self.decided = False
        self.relay = relay


class Placing(Relay):
    """Lines may be joined and held back: each has a place of its own."""

    staged_bytes = 400  # a slot, the list that it is in, their places

    __slots__ = ("_sent", "_slots")

    def __init__(self, cursor: Cursor, on_idle: Callable[[], object]) -> None:
        super().__init__(cursor, on_idle)
        self._slots: deque[Slot] = deque()
        self._sent: deque[list[Slot]] = deque()

    def take(self) -> list[Slot]:
        """Return the place of the next line."""
        slot = Slot(self)
        self._slots.append(slot)
        return [slot]

    async def _put(self, sink: BoundedSink, records: list[Record]) -> None:
        slots = [record.slots for record in records]
        self._sent.extend(slots)  # they may be acknowledged at once
        try:
            await sink.put_all(streams_of(records), self)
        except BaseException:
            for _ in slots:
                self._sent.pop()
            raise

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
        if not slots and not self._is_taking:
            self._on_idle()


def _decide(slots: Sequence[Slot]) -> None:
    """Note that the lines of *slots* are done, of whichever relays they are."""
    for slot in slots:
        slot.decided = True
    for relay in dict.fromkeys(slot.relay for slot in slots):
        relay.pass_on()


def streams_of(records: list[Record]) -> Streams:
    """Return *records* by stream, in their order, as a sink takes them."""
    streams: defaultdict[LabelSet, list[Entry]] = defaultdict(list)
    for record in records:
        streams[record.labels].append(entry_of(record))
    return [(labels.pairs, entries) for labels, entries in streams.items()]


def entry_of(record: Record) -> Entry:
    """Return *record* as the sink takes it."""
    line = record.given
    if line is None or record.line is not record.given_line:
        line = record.line.encode("utf-8", "surrogateescape")
    # 0.1 µs less than Entry's own way, which is Python.
    return tuple.__new__(Entry, (record.timestamp_ns, line, record.metadata))
