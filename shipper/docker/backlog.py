"""The lines of one container that found no room in the sink: in order, on disk.

Lines come in by `take`, when they were accepted and may not depart; `run` lets them
depart one after the other as the sink takes them. A few wait in memory, the others in a
queue of the spool. What is on disk stays there until it is acknowledged, and the
first block of a backlog begins with what is in flight then: so the queue holds *every*
line that is not done, and whoever starts again goes on from it.

Lines have numbers, counted per stream (`Mark.number`): they say which lines on disk are
done, and no clock has a say in it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice

from shipper.docker.frames import UNSTAMPED
from shipper.docker.progress import Mark, Progress
from shipper.docker.records import RECORD_COST_BYTES, Record, pack, unpack
from shipper.docker.spooled import (
    Discovered,
    Head,
    Numbers,
    Spooled,
    advance,
    read_head,
)
from shipper.pipeline.entry import Entry
from shipper.spool.block import encode_block
from shipper.spool.queue import SEGMENT_BYTES, Block, DiskQueue
from shipper.spool.volume import Volume


FLUSH_BYTES = 64 << 10
"""So much waits in memory before it is written."""

BLOCK_BYTES = 256 << 10

SLICE_LINES = 128
"""Lines that depart before others get their turn."""

HOLD_SECONDS = 0.3
"""How long nothing departs while the log has to be read faster than it is shipped."""

DOOMED_SECONDS = 1.0
"""Lines of a container that is gone are written when they are not done by then."""

Depart = Callable[[Discovered, Record], Awaitable[None]]
"""Puts a record into the sink, with the labels that its container had."""


class Backlog:
    """Stands beside the `Progress` of a container, for as long as that is kept."""

    def __init__(
        self,
        progress: Progress,
        volume: Volume,
        queue: DiskQueue,
        found: Spooled | None = None,
        *,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Keep lines in *queue*, which has what was *found* there at the start."""
        found = found or Spooled()
        self.discovered: Discovered = found.discovered
        """The labels before the rules of the container now."""
        self._doomed = False
        self.stuck = False
        """Whether the sink has had no room for long, and still has none."""
        self._progress = progress
        self._volume = volume
        self._queue = queue
        self._now_ns = now_ns
        self._buffer: deque[Record] = deque()
        self._buffer_bytes = 0
        self._last: Numbers = dict(found.last)
        self._marks: dict[int, Mark] = dict(found.marks)
        self._segments: dict[int, Numbers] = dict(found.segments)
        self._described: Discovered | None = None
        self._fed: Discovered = found.discovered
        self._oldest_ns = found.oldest_ns
        self._next = queue.front
        self._writing = asyncio.Lock()
        self._feeding = False
        self.moves = 0
        """How many lines have departed from here."""
        self._clock = asyncio.get_running_loop().time
        self._held_until = 0.0
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        if found.segments:
            progress.restore(found.read, found.done)
        if queue.front != queue.end:
            self._filled.set()
        volume.join(self)

    # State

    @property
    def waiting(self) -> bool:
        """Whether lines wait here: those that come have to go behind them."""
        return (
            self._feeding
            or bool(self._buffer)
            or self._next < self._queue.end
            or self._writing.locked()
        )

    @property
    def empty(self) -> bool:
        """Whether there is nothing, neither waiting nor on disk."""
        return not self.waiting and not self._segments

    def oldest_ns(self) -> int | None:
        """Return the time of about the oldest line that waits; None without one."""
        if self._buffer or self._next < self._queue.end:
            return self._oldest_ns
        return None

    async def settled(self) -> None:
        """Wait until nothing waits here."""
        while self.waiting:
            self._idle.clear()
            await self._idle.wait()

    @property
    def doomed(self) -> bool:
        """Whether Docker may delete the log at any moment, or has done so."""
        return self._doomed

    @doomed.setter
    def doomed(self, doomed: bool) -> None:
        self._doomed = doomed
        self._volume.stir(self)

    @property
    def held(self) -> bool:
        """Whether lines are to wait here for a while (see `hold`)."""
        return self._clock() < self._held_until and self._volume.admits(
            self._queue, self._volume.limit_bytes // 2
        )

    def hold(self) -> None:
        """Let nothing depart for a moment, as long as the disk has plenty of room."""
        self._held_until = self._clock() + HOLD_SECONDS

    # Lines come

    async def take(self, records: Sequence[Record]) -> None:
        """Keep *records* behind those that wait; wait while the disk has no room."""
        self.keep(records)
        while self._buffer_bytes >= FLUSH_BYTES:
            if not await self._write():
                await self._volume.room()

    def keep(self, records: Sequence[Record]) -> None:
        """Keep *records* in memory, without a bound: only what was on its way."""
        if records and not self.waiting:
            self._oldest_ns = records[0][1].timestamp_ns
        self._buffer.extend(records)
        self._buffer_bytes += sum(len(record[1][1]) for record in records)
        self._buffer_bytes += len(records) * RECORD_COST_BYTES
        self._filled.set()
        self._volume.stir(self)  # with no records, too: a write ends here

    # Lines go

    async def run(self, depart: Depart) -> None:
        """Let what waits depart, until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            try:
                self._feeding = True
                while await self._feed_some(depart):
                    pass
            finally:
                self._feeding = False
            if not self.waiting:
                self._idle.set()

    async def _feed_some(self, depart: Depart) -> bool:
        if self.held:
            await asyncio.sleep(HOLD_SECONDS)
        elif self._next < self._queue.end:
            await self._feed_block(depart)
        elif self._writing.locked():  # what is being written goes first
            async with self._writing:
                pass
        elif self._buffer:
            record = self._buffer.popleft()
            self._buffer_bytes -= len(record[1].line) + RECORD_COST_BYTES
            await self._let_go(depart, self.discovered, record)
        else:
            return False
        return True

    async def _let_go(
        self, depart: Depart, discovered: Discovered, record: Record
    ) -> None:
        self._oldest_ns = record[1].timestamp_ns
        await depart(discovered, record)
        self.moves += 1
        self.stuck = False

    async def _feed_block(self, depart: Depart) -> None:
        before = self._queue.damaged
        block = await self._volume.call(self._queue.read, self._next)
        self._volume.meters.damaged(self._queue.damaged - before)
        if block is None:
            self._next = self._queue.end
            return
        if (head := read_head(self._queue, block.head)) is not None:
            await self._feed_lines(depart, head, block)
        self._next = block.after

    async def _feed_lines(self, depart: Depart, head: Head, block: Block) -> None:
        if head.discovered is not None:
            self._fed = head.discovered
        for count, record in enumerate(self._undeparted(head, block)):
            if not count % SLICE_LINES:
                await asyncio.sleep(0)  # those who read go first
            await self._let_go(depart, self._fed, record)

    def _undeparted(self, head: Head, block: Block) -> Iterator[Record]:
        """Yield the records of *block* that have not departed before."""
        numbers = dict(head.first)
        for record in unpack(block.body):
            stream = record[0]
            if stream & UNSTAMPED:  # it has no number: it may come twice
                yield record
                continue
            number = numbers[stream]
            numbers[stream] = number + 1
            progress = self._progress.stream(stream)
            missing = number - progress.departed_number - 1
            if missing > 0:  # a block that was damaged
                progress.lose(missing)
            if missing >= 0:
                yield record

    # The disk

    @property
    def at_rest(self) -> bool:
        """Whether `tick` has nothing to do: most containers log little."""
        return self._queue.empty and not (self._buffer or self.doomed)

    async def tick(self) -> None:
        """Write what has waited for a while, drop what is done (see `Volume`)."""
        if self._buffer and not self._writing.locked():
            await self._write()
        if self.doomed and self._overdue():
            await self._write()
        await self._drop_done()

    async def save(self) -> None:
        """Write everything that is not acknowledged, drop what is."""
        await self._write()
        await self._drop_done()

    def _overdue(self) -> bool:
        """Say whether a line is in flight for long that is not on disk."""
        oldest = min((r[1].timestamp_ns for r in self._in_flight_only()), default=None)
        return oldest is not None and self._now_ns() - oldest > DOOMED_SECONDS * 1e9

    async def _write(self) -> bool:
        """Write what is in flight and not on disk, and then what waits in memory.

        False when there is no room; what was not written waits on then.
        """
        async with self._writing:
            numbers = {
                stream: max(self._last.get(stream, 0), progress.done_number)
                for stream, progress in self._progress.streams.items()
            }
            flying, waiting = deque(self._in_flight_only()), self._buffer
            self._buffer, self._buffer_bytes = deque(), 0
            try:
                for records in (flying, waiting):
                    while records:
                        if not await self._append(records, numbers):
                            return False
            finally:
                later, self._buffer, self._buffer_bytes = self._buffer, deque(), 0
                self.keep((*waiting, *later))
        self._filled.set()
        return True

    async def _append(self, records: deque[Record], numbers: Numbers) -> bool:
        """Write the first of *records* as a block, take them off, count in *numbers*.

        *numbers* are those of the lines before.
        """
        some = _some(records)
        last, marks = dict(numbers), dict(self._marks)
        for stream, lines in _by_stream(some).items():
            last[stream] += len(lines)
            before = self._behind_last(stream, marks.get(stream))
            if mark := advance(before, lines, last[stream]):
                marks[stream] = mark
        head = self._head(some, numbers, last, marks)
        block, end = encode_block(head.as_json(), pack(some)), self._queue.end
        try:
            return await self._volume.append(self._queue, block)
        finally:
            if self._queue.end != end:  # also when this was cancelled meanwhile
                self._last, self._marks = last, marks
                self._segments[self._queue.end.segment] = last
                self._described = self.discovered
                numbers.update(last)
                for _ in some:  # they came first
                    records.popleft()

    def _behind_last(self, stream: int, mark: Mark | None) -> Mark | None:
        """Return the later one of *mark*, what is on disk, and of what is done."""
        done = self._progress.stream(stream).done
        if mark is None or (done is not None and done.number > mark.number):
            return done
        return mark

    def _head(
        self, some: list[Record], before: Numbers, last: Numbers, marks: dict[int, Mark]
    ) -> Head:
        begins = not 0 < self._queue.end.offset < SEGMENT_BYTES
        known = not begins and self._described == self.discovered
        return Head(
            first={stream: number + 1 for stream, number in before.items()},
            last=last,
            marks=marks,
            since_ns=some[-1][1].timestamp_ns,
            oldest_ns=some[0][1].timestamp_ns,
            discovered=None if known else self.discovered,
        )

    def _in_flight_only(self) -> Iterator[Record]:
        """Yield the lines that are in flight and not on disk."""
        for stream, progress in self._progress.streams.items():
            known = max(0, self._last.get(stream, 0) - progress.done_number)
            for entry, checksum in islice(progress.lines_in_flight(), known, None):
                yield stream, entry, checksum

    async def _drop_done(self) -> None:
        """Delete the segments of which every line is done."""
        queue = self._queue
        if queue.front == queue.end:
            return
        for number, last in sorted(self._segments.items()):
            if number >= self._next.segment and self.waiting:
                break
            if any(
                self._progress.stream(stream).done_number < at
                for stream, at in last.items()
            ):
                break
            del self._segments[number]
        if self._segments:
            await self._volume.drop(queue, min(self._segments))
        elif not self.waiting:
            await self._volume.clear(queue)
            self._next = queue.end

    def close(self) -> None:
        """Let go of the queue, which is empty, and of the volume."""
        self._volume.release(self._queue)
        self._volume.leave(self)


def _by_stream(records: Iterable[Record]) -> dict[int, list[tuple[Entry, int]]]:
    """Return the lines of each stream, those without a time aside."""
    lines: dict[int, list[tuple[Entry, int]]] = {}
    for stream, entry, checksum in records:
        if not stream & UNSTAMPED:
            lines.setdefault(stream, []).append((entry, checksum))
    return lines


def _some(records: Iterable[Record]) -> list[Record]:
    """Return the first of *records*, as many as make a block."""
    some, size = [], 0
    for record in records:
        some.append(record)
        size += len(record[1].line)
        if size >= BLOCK_BYTES:
            break
    return some
