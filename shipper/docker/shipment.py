"""Put the lines of one container into the sink, each once, and say what was odd."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import Final

from shipper.docker.backlog import Backlog
from shipper.docker.frames import SYSTEMERR, UNSTAMPED, Line
from shipper.docker.ledger import STREAM_NAMES
from shipper.docker.meters import Meters
from shipper.docker.progress import Progress, StreamProgress
from shipper.docker.records import Record
from shipper.docker.spooled import Discovered
from shipper.pipeline.entry import BoundedSink, Entry, Labels, Untracked


log = logging.getLogger(__name__)

SLICE_LINES = 128
"""Lines put before the sockets get their turn.

dockerd writes a line at a time, of which a Unix socket holds 278 whatever their length
(212,992 bytes of buffer, 768 for the least write): then its follower waits, and falls
behind the rotation of the file.
"""

SLICE_BYTES = 64 << 10
"""So much of one container finds room in the sink whatever the others hold there."""

LINE_COST_BYTES = 352
"""What a line costs in the sink beside its bytes (`shipper.loki.ledger`)."""

PATIENCE_SECONDS = 2.0
"""So long lines wait in Docker's files for the sink; then they go to the backlog."""

LOOK_SECONDS = 0.2
"""How often those that wait look whether Docker may lose lines now."""

_STREAM: Final[Callable[[Record], int]] = itemgetter(0)

Label = Callable[[Discovered], dict[int, Labels]]


class Shipment:
    """What the connections of one tailer have in common: labels, progress, sink.

    While the sink has no room, lines wait in *backlog*, without one in front of the
    sink. *label* gives the labels of each stream of a container from those before the
    rules. `run` it as a task.
    """

    def __init__(
        self,
        container_id: str,
        progress: Progress,
        sink: BoundedSink,
        meters: Meters,
        *,
        backlog: Backlog | None = None,
        label: Label | None = None,
    ) -> None:
        self.labels: dict[int, Labels] = {}
        """The labels of each stream that is read; lines of others are dropped."""
        self.complaints = 0
        """How often the daemon put an error of its own among the lines."""
        self.rotates = False
        """Whether Docker deletes old lines, so that they cannot wait there."""
        self.progress = progress
        self.backlog = backlog
        self._container = container_id[:12]
        self._sink = sink
        self._meters = meters
        self._label = label
        self._fed: tuple[Discovered, dict[int, Labels]] = ({}, {})

    async def run(self) -> None:
        """Let go what waits in the backlog, until cancelled."""
        if self.backlog is not None:
            await self.backlog.run(self._feed)

    def hurry(self) -> None:
        """Read for a while, and do not ship: Docker may delete what comes next.

        To read a line into the backlog costs 5 us of CPU, to ship it 17.
        """
        if self.backlog is not None:
            self.backlog.hold()

    async def put(self, lines: list[Line]) -> int:
        """Put what is new of *lines*; return how many that were."""
        shipped = start = 0
        while start < len(lines):
            if start:
                await asyncio.sleep(0)
            end = _slice_end(lines, start)
            shipped += await self._put(lines[start:end])
            start = end
        return shipped

    async def _put(self, lines: list[Line]) -> int:
        records = self._accepted(lines)
        self._meters.entries(len(records))
        self._meters.duplicates(len(lines) - len(records))
        if self.backlog is None:
            await self._depart_all(records)
        elif not await self._has_room(self.backlog, records):
            await self.backlog.take(records)
        elif self._sink.sure:
            await self._depart_all(records)
        else:
            await self._try(records)
        return len(records)

    def _accepted(self, lines: list[Line]) -> list[Record]:
        """Return what is new of *lines*."""
        records: list[Record] = []
        accept = self.progress.accept
        for stream, entry in lines:
            if stream not in self.labels:
                self._note_odd(stream, entry, records)
                continue
            progress = self.progress.stream(stream)
            checksum, gap = accept(progress, entry)
            if checksum is None:
                continue
            if gap:
                self._note_gap(stream, progress)
            records.append((stream, entry, checksum))
        return records

    # Departure

    async def _has_room(self, backlog: Backlog, records: list[Record]) -> bool:
        """Say whether *records* may depart now; wait a little where nothing is lost.

        Docker's log file is the queue for a moment, unless it may lose lines.
        """
        if backlog.held:
            return False
        if not backlog.waiting and self._admits(records):
            return True
        try:
            return await self._room_for(backlog, records)
        except asyncio.CancelledError:
            backlog.keep(records)  # to be saved: the program stops
            raise

    async def _room_for(self, backlog: Backlog, records: list[Record]) -> bool:
        now = asyncio.get_running_loop().time
        moves, until = backlog.moves, now() + PATIENCE_SECONDS
        while not (self.rotates or backlog.doomed or backlog.stuck):
            waiting = backlog.settled() if backlog.waiting else self._sink.room()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await waiting
            if not backlog.waiting and self._admits(records):
                return True
            if now() >= until:
                backlog.stuck = moves == backlog.moves
                moves, until = backlog.moves, now() + PATIENCE_SECONDS
        return False

    def _admits(self, records: list[Record]) -> bool:
        entries = [entry for _, entry, _ in records]
        streams = {stream for stream, _, _ in records if not stream & UNSTAMPED}
        return all(
            self._sink.admits(entries, self.progress.stream(stream).cursor)
            for stream in streams
        )

    async def _try(self, records: list[Record]) -> None:
        """Let *records* depart; those that cannot do so soon go to the backlog.

        What stages make of a line may be larger than the line, or be held up.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._depart_all(records)

    async def _depart_all(self, records: list[Record]) -> None:
        labels, departed = self.labels, 0
        try:
            for stream, run in groupby(records, _STREAM):
                some = list(run)
                departed += len(some)
                mine = labels.get(stream)
                if mine is None:
                    for record in some:
                        await self._depart_odd(labels, record)
                    continue
                entries = [record[1] for record in some]
                checksums = [record[2] for record in some]
                progress = self.progress.stream(stream)
                cursor = self.progress.depart_all(progress, entries, checksums, mine)
                await self._sink.put_all(((mine, entries),), cursor)
        except BaseException:
            if self.backlog is not None:  # it lets them go, or saves them at the end
                self.backlog.keep(records[departed:])
            raise

    async def _feed(self, discovered: Discovered, record: Record) -> None:
        """Let *record* of the backlog depart with the labels that it was read with."""
        labels = self._labels_of(discovered)
        stream, entry, checksum = record
        mine = labels.get(stream)
        if mine is None:
            await self._depart_odd(labels, record)
            return
        progress = self.progress.stream(stream)
        cursor = self.progress.depart(progress, entry, checksum, mine)
        await self._sink.put(mine, entry, cursor)

    async def _depart_odd(self, labels: dict[int, Labels], record: Record) -> None:
        """Let a line without a time go, or one that the rules drop by now."""
        stream, entry, checksum = record
        if not stream & UNSTAMPED:
            progress = self.progress.stream(stream)
            self.progress.depart(progress, entry, checksum, ()).acknowledge((entry,))
        elif mine := labels.get(stream & ~UNSTAMPED):
            await self._sink.put(mine, entry, Untracked())

    def _labels_of(self, discovered: Discovered) -> dict[int, Labels]:
        if self._label is None:
            return self.labels
        if self._fed[0] is not discovered:
            self._fed = (discovered, self._label(discovered))
        return self._fed[1]

    # What is odd

    def _note_odd(self, stream: int, entry: Entry, records: list[Record]) -> None:
        """Take a line of the daemon, of an unwanted stream, or without a time."""
        if stream == SYSTEMERR | UNSTAMPED:
            self.complaints += 1
            text = entry.line.decode(errors="replace")
            log.warning(
                "docker reports about the log of a container: %s",
                text,
                extra={"fields": {"container": self._container}},
            )
        elif stream & ~UNSTAMPED in self.labels:
            records.append((stream, entry, 0))

    def _note_gap(self, stream: int, progress: StreamProgress) -> None:
        self._meters.gaps(1)
        log.warning(
            "docker no longer has the line that was read last, lines between may be "
            "lost (was the log rotated?)",
            extra={
                "fields": {
                    "container": self._container,
                    "stream": STREAM_NAMES[stream],
                    "in_flight": progress.in_flight,
                }
            },
        )


def _slice_end(lines: list[Line], start: int) -> int:
    """Return where a slice from *start* on ends: some lines, not too many bytes."""
    size = 0
    for at in range(start, min(start + SLICE_LINES, len(lines))):
        size += len(lines[at][1].line) + LINE_COST_BYTES
        if size > SLICE_BYTES and at > start:
            return at
    return min(start + SLICE_LINES, len(lines))
