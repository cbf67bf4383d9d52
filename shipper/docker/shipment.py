"""Put the lines of one container into the sink, each once, and say what was odd."""

from __future__ import annotations

import asyncio
import logging

from shipper.docker.frames import SYSTEMERR, UNSTAMPED, Line
from shipper.docker.ledger import STREAM_NAMES
from shipper.docker.meters import Meters
from shipper.docker.progress import Progress, StreamProgress
from shipper.pipeline.entry import Cursor, Entry, Labels, Sink, Untracked


log = logging.getLogger(__name__)

SLICE_LINES = 128
"""Lines put before the sockets get their turn.

dockerd writes a line at a time, of which a Unix socket holds 278 whatever their length
(212,992 bytes of buffer, 768 for the least write): then its follower waits, and falls
behind the rotation of the file.
"""


class Shipment:
    """What the connections of one tailer have in common: labels, progress, sink."""

    def __init__(
        self, container_id: str, progress: Progress, sink: Sink, meters: Meters
    ) -> None:
        self.labels: dict[int, Labels] = {}
        """The labels of each stream that is read; lines of others are dropped."""
        self.complaints = 0
        """How often the daemon put an error of its own among the lines."""
        self.progress = progress
        self._container = container_id[:12]
        self._sink = sink
        self._meters = meters

    async def put(self, lines: list[Line]) -> int:
        """Put what is new of *lines*; return how many that were."""
        shipped = await self._put(lines[:SLICE_LINES])
        for start in range(SLICE_LINES, len(lines), SLICE_LINES):
            await asyncio.sleep(0)
            shipped += await self._put(lines[start : start + SLICE_LINES])
        return shipped

    async def _put(self, lines: list[Line]) -> int:
        put, accept = self._sink.put, self.progress.accept
        shipped = known = 0
        try:
            for stream, entry in lines:
                labels = self.labels.get(stream)
                if labels is None:
                    await self._put_odd(stream, entry)
                    continue
                progress = self.progress.stream(stream)
                new, gap = accept(progress, entry)
                if not new:
                    known += 1
                    continue
                if gap:
                    self._note_gap(stream, progress)
                await put(labels, entry, progress.cursor)
                shipped += 1
        finally:
            self._meters.entries(shipped)
            self._meters.duplicates(known)
        return shipped

    async def _put_odd(self, stream: int, entry: Entry) -> None:
        """Take a line of the daemon, of an unwanted stream, or without a time."""
        if stream == SYSTEMERR | UNSTAMPED:
            self.complaints += 1
            text = entry.line.decode(errors="replace")
            log.warning(
                "docker reports about the log of a container: %s",
                text,
                extra={"fields": {"container": self._container}},
            )
            return
        labels = self.labels.get(stream & ~UNSTAMPED)
        if labels is not None:
            cursor: Cursor = Untracked()
            await self._sink.put(labels, entry, cursor)
            self._meters.entries(1)

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
