"""Put the lines of one container into the sink, each once, and say what was odd."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import Final

from shipper.docker.backlog import Backlog
from shipper.docker.frames import SYSTEMERR, UNSTAMPED, Line
from shipper.docker.ledger import STREAM_NAMES
from shipper.docker.meters import Meters
from shipper.docker.progress import Progress, StreamProgress
from shipper.docker.records import Record, records
from shipper.docker.run import LINE, Run
from shipper.docker.spooled import Discovered
from shipper.pipeline.entry import BoundedSink, Entry, Labels, Untracked


log = logging.getLogger(__name__)

SLICE_LINES = 256
"""Lines put before the sockets get their turn.

dockerd writes a line at a time, of which a Unix socket holds 278 whatever their length
(212,992 bytes of buffer, 768 for the least write): then its follower waits, and falls
behind the rotation of the file.
"""

SLICE_BYTES = 64 << 10
"""So much of one container finds room in the sink whatever the others hold there."""

LINE_COST_BYTES = 220
"""What a line costs in the sink beside its bytes (`shipper.loki.ledger`)."""

PATIENCE_SECONDS = 2.0
"""So long lines wait in Docker's files for the sink; then they go to the backlog."""

LOOK_SECONDS = 0.2
"""How often those that wait look whether Docker may lose lines now."""

_STREAM: Final[Callable[[Line], int]] = itemgetter(0)
_ENTRY: Final[Callable[[Line], Entry]] = itemgetter(1)

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
        runs = list(self._accepted(lines))
        count = sum(map(len, runs))
        self._meters.entries(count)
        self._meters.duplicates(len(lines) - count)
        if self.backlog is None:
            await self._depart_all(runs)
        elif not await self._has_room(self.backlog, runs):
            await self.backlog.take(records(runs))
        elif self._sink.sure:
            await self._depart_all(runs)
        else:
            await self._try(runs)
        return count

    def _accepted(self, lines: list[Line]) -> Iterator[Run]:
        """Yield what is new of *lines*, the neighbours of one stream together."""
        for stream, group in groupby(lines, _STREAM):
            entries = list(map(_ENTRY, group))
            if stream in self.labels:
                run = self.progress.accept_all(stream, entries)
                run = run or self._accepted_singly(stream, entries)
            else:
                kept = [entry for entry in entries if self._keeps_odd(stream, entry)]
                run = Run(stream, kept, [0] * len(kept))
            if run:
                yield run

    def _accepted_singly(self, stream: int, entries: list[Entry]) -> Run:
        """Return what is new of *entries*, of which some may be known."""
        progress, accept = self.progress.stream(stream), self.progress.accept
        new: list[Entry] = []
        checksums: list[int] = []
        for entry in entries:
            checksum, gap = accept(progress, entry)
            if checksum is None:
                continue
            if gap:
                self._note_gap(stream, progress)
            new.append(entry)
            checksums.append(checksum)
        return Run(stream, new, checksums)

    # Departure

    async def _has_room(self, backlog: Backlog, runs: list[Run]) -> bool:
        """Say whether *runs* may depart now; wait a little where nothing is lost.

        Docker's log file is the queue for a moment, unless it may lose lines.
        """
        if backlog.held:
            return False
        if not backlog.waiting and self._admits(runs):
            return True
        try:
            return await self._room_for(backlog, runs)
        except asyncio.CancelledError:
            backlog.keep(records(runs))  # to be saved: the program stops
            raise

    async def _room_for(self, backlog: Backlog, runs: list[Run]) -> bool:
        now = asyncio.get_running_loop().time
        moves, until = backlog.moves, now() + PATIENCE_SECONDS
        while not (self.rotates or backlog.doomed or backlog.stuck):
            waiting = backlog.settled() if backlog.waiting else self._sink.room()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await waiting
            if not backlog.waiting and self._admits(runs):
                return True
            if now() >= until:
                backlog.stuck = moves == backlog.moves
                moves, until = backlog.moves, now() + PATIENCE_SECONDS
        return False

    def _admits(self, runs: list[Run]) -> bool:
        streams = {run.stream for run in runs if not run.stream & UNSTAMPED}
        if len(runs) == 1:
            entries = runs[0].entries
        else:
            entries = [entry for run in runs for entry in run.entries]
        return all(
            self._sink.admits(entries, self.progress.stream(stream).cursor)
            for stream in streams
        )

    async def _try(self, runs: list[Run]) -> None:
        """Let *runs* depart; those that cannot do so soon go to the backlog.

        What stages make of a line may be larger than the line, or be held up.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._depart_all(runs)

    async def _depart_all(self, runs: list[Run]) -> None:
        labels, departed = self.labels, 0
        try:
            for run in runs:
                departed += 1
                await self._depart(labels, run)
        except BaseException:
            if self.backlog is not None:  # it lets them go, or saves them at the end
                self.backlog.keep(records(runs[departed:]))
            raise

    async def _depart(self, labels: dict[int, Labels], run: Run) -> None:
        """Put the lines of *run* into the sink."""
        mine = labels.get(run.stream)
        if mine is None:
            await self._depart_odd(labels, run)
            return
        cursor = self.progress.depart(run, mine)
        await self._sink.put_all(((mine, run.entries),), cursor)

    async def _feed(self, discovered: Discovered, record: Record) -> None:
        """Let *record* of the backlog depart with the labels that it was read with."""
        stream, entry, checksum = record
        run = Run(stream, (entry,), (checksum,))
        await self._depart(self._labels_of(discovered), run)

    async def _depart_odd(self, labels: dict[int, Labels], run: Run) -> None:
        """Let lines without a time go, or those that the rules drop by now."""
        if not run.stream & UNSTAMPED:
            self.progress.depart(run, ()).acknowledge(run.entries)
        elif mine := labels.get(run.stream & ~UNSTAMPED):
            for entry in run.entries:
                await self._sink.put(mine, entry, Untracked())

    def _labels_of(self, discovered: Discovered) -> dict[int, Labels]:
        if self._label is None:
            return self.labels
        if self._fed[0] is not discovered:
            self._fed = (discovered, self._label(discovered))
        return self._fed[1]

    # What is odd

    def _keeps_odd(self, stream: int, entry: Entry) -> bool:
        """Take a line of the daemon, of an unwanted stream, or without a time.

        Returns whether it is to be shipped.
        """
        if stream == SYSTEMERR | UNSTAMPED:
            self.complaints += 1
            text = entry.line.decode(errors="replace")
            log.warning(
                "docker reports about the log of a container: %s",
                text,
                extra={"fields": {"container": self._container}},
            )
            return False
        return stream & ~UNSTAMPED in self.labels

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
    end = min(start + SLICE_LINES, len(lines))
    size = sum(map(len, map(LINE, map(_ENTRY, lines[start:end]))))
    if size + (end - start) * LINE_COST_BYTES <= SLICE_BYTES:
        return end
    size = 0
    for at in range(start, end):
        size += len(lines[at][1].line) + LINE_COST_BYTES
        if size > SLICE_BYTES and at > start:
            return at
    return end
