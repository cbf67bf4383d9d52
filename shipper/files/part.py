"""One file on its way to the sink: from bytes to ``put``."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from shipper.files.place import Trail
from shipper.files.reader import Chunk, LogFile
from shipper.files.rotations import ReadUpTo
from shipper.files.settings import Settings
from shipper.files.splitter import FileLine
from shipper.pipeline.entry import Entry, Labels


log = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
"""How much is read at once: what a file whose stream is held up costs at most."""

LINES_TOGETHER = 256
"""Lines that go to the sink at once: 2 µs less for each than one by one."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Where the lines of one path go, whatever file they come from."""

    path: str
    labels: Labels
    trail: Trail
    settings: Settings


class Part:
    """The *file*, read from *start* on.

    It is *attached* while the path is its name. *skip* is the number of lines, from
    the start on, that promtail read before.
    """

    def __init__(
        self, stream: Stream, file: LogFile, start: ReadUpTo, *, skip: int = 0
    ) -> None:
        self.file = file
        self.attached = True
        self.silent_since = _now()
        self.size = 0
        self.links = 1
        self.busy = False
        """Whether there is something to do though the file does not change."""
        settings = self._settings = stream.settings
        self._stream = stream
        self._skip = skip
        self._not_before = 0.0
        lines = start.lines
        if settings.archives is not None:
            self._not_before = self.silent_since + settings.archives.initial_delay
            lines = lines or 0
        self._begin(start._replace(lines=lines))

    def _begin(self, start: ReadUpTo) -> None:
        inode, stream = self.file.identity.inode, self._stream
        self.segment = stream.trail.begin(inode, start.offset, start.head, start.lines)
        self.splitter = self._settings.make_splitter(
            start.offset, self._settings.max_line_bytes
        )

    @property
    def up_to(self) -> ReadUpTo:
        """How far the file is read."""
        lines = self.segment.lines
        if lines is not None:
            lines += len(self.segment.pending)
        return ReadUpTo(self.splitter.offset, self.segment.head, lines)

    async def read(self) -> None:
        """Put all that is there. Raises OSError."""
        self.busy = _now() < self._not_before
        if self.busy:
            return
        try:
            while (chunk := await self._take()).more or chunk.truncated:
                pass
        finally:
            await self._settle()

    async def end(self) -> None:
        """Take what has no newline for a line: nothing can follow."""
        await self._ship(self.splitter.flush())
        self.segment.ended = True
        self.file.close()

    async def _take(self) -> Chunk:
        start = self.splitter.offset
        chunk = await self._settings.disk.ask(self.file.read, start, CHUNK_BYTES)
        self.links, self.size = chunk.links, chunk.size
        self.segment.head = self.file.head
        if chunk.truncated:
            await self._begin_anew()
            return chunk
        self.splitter.begins(self.file.beginning)
        if chunk.data:
            self.silent_since = _now()
            data = chunk.data[self.splitter.offset - start :]
            await self._ship(self.splitter.feed(data))
        if chunk.complete:
            await self._ship(self.splitter.flush())
            self._skip = 0
        self._count(chunk)
        return chunk

    def _count(self, chunk: Chunk) -> None:
        if self.attached:
            meters, path = self._settings.meters, self._stream.path
            meters.read_bytes(path, self.splitter.offset)
            meters.file_bytes(path, chunk.size)

    async def _begin_anew(self) -> None:
        """Read a truncated file from its beginning."""
        fields = {"path": self._stream.path}
        log.info("file was truncated, reading it anew", extra={"fields": fields})
        await self._ship(self.splitter.flush())
        self.segment.ended = True
        lines = None if self.segment.lines is None else 0
        self._begin(ReadUpTo(lines=lines))

    async def _settle(self) -> None:
        """End the last line of an archive that breaks off and does not go on."""
        if self._settings.archives is None or not self.splitter.pending:
            return
        self.busy = _now() - self.silent_since < self._settings.settle_seconds
        if not self.busy:
            await self._ship(self.splitter.flush())

    async def _ship(self, lines: Sequence[FileLine]) -> None:
        if lines:
            self.segment.mark(lines[-1].end, time.time_ns())
        if self._skip and lines:
            skipped = min(self._skip, len(lines))
            self._pass_over(skipped, lines[skipped - 1].end)
            lines = lines[skipped:]
        shipped = 0
        try:
            while shipped < len(lines):
                some = lines[shipped : shipped + LINES_TOGETHER]
                await self._put(some)
                shipped += len(some)
        finally:
            self._count_lines(shipped)

    async def _put(self, lines: Sequence[FileLine]) -> None:
        stamp = self._settings.clock.stamp
        # Before put_all: a sink may acknowledge at once.
        self.segment.pending.extend([line.end for line in lines])
        entries = [Entry(stamp(), line.text) for line in lines]
        streams = ((self._stream.labels, entries),)
        await self._settings.sink.put_all(streams, self.segment)

    def _pass_over(self, count: int, end: int) -> None:
        self._skip -= count
        self.segment.done = end
        if self.segment.lines is not None:
            self.segment.lines += count

    def _count_lines(self, shipped: int) -> None:
        meters = self._settings.meters
        if shipped:
            meters.read_lines(self._stream.path, shipped)
        if self.splitter.truncated:
            meters.truncated(self.splitter.truncated)
            self.splitter.truncated = 0


def _now() -> float:
    return asyncio.get_running_loop().time()
