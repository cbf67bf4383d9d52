"""Ship what dockerd's follower gives, and what it leaves out from Docker's files."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from shipper.docker.engine import Engine
from shipper.docker.frames import Demuxer, Line
from shipper.docker.lookback import TAIL_LINES, holds, unread
from shipper.docker.meters import Meters
from shipper.docker.progress import SECOND_NS
from shipper.docker.rotation import file_bytes
from shipper.docker.shipment import Shipment
from shipper.docker.skips import SkipWatch
from shipper.docker.stream import DockerError, DockerRefusedError, Response


log = logging.getLogger(__name__)

T = TypeVar("T")

OVERLAP_NS = SECOND_NS // 20
"""How far before the last line the files are read: the streams' stamps may cross."""

LEAST_TAIL = 200

WATCH_AFTER_BYTES = 16 * 1024
"""How much of a log is read before the daemon is asked whether it rotates."""


@contextmanager
def _gone_is_read() -> Iterator[None]:
    """Take the files of a removed container for read."""
    try:
        yield
    except DockerRefusedError as error:
        if error.status != 404:
            raise


class Verifier:
    """Stands between the connections of one container and its `Shipment`.

    *answer_seconds* is how long an answer may take when the files are asked for.
    """

    def __init__(
        self,
        engine: Engine,
        container_id: str,
        shipment: Shipment,
        meters: Meters,
        *,
        max_line_bytes: int,
        answer_seconds: float,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._engine = engine
        self._container_id = container_id
        self._shipment = shipment
        self._meters = meters
        self._max_line_bytes = max_line_bytes
        self._answer_seconds = answer_seconds
        self._now_ns = now_ns
        self._streams: Sequence[int] = ()
        self._opened_ns = 0
        self._received = 0
        self._rotate_bytes: int | None = None
        self._watch: SkipWatch | None = None

    def opened(self, streams: Sequence[int]) -> None:
        """Note that *streams* of the log are about to be asked for."""
        self._streams = streams
        self._opened_ns = self._now_ns()
        self._watch = None

    async def look_back(self) -> bool:
        """Ship what no ``since`` finds: lines whose time lies before those read.

        Returns whether there are more of them than were looked at, so that the log has
        to be read from its beginning.
        """
        progress = self._shipment.progress
        read = progress.read.marks
        if not read:
            return False
        since_ns = progress.begin()
        end = await self._end_of_log()
        found = unread(end, read)
        if not any(entry.timestamp_ns < since_ns for _, entry in found or end):
            return False
        if not found:  # the place is not there, or nothing is behind it
            return not holds(end, read)
        log.warning(
            "lines are older than those before them: the clock was set back",
            extra={"fields": {"container": self._container_id[:12]}},
        )
        progress.go_on()
        await self._shipment.put(found)
        return False

    async def _end_of_log(self) -> list[Line]:
        demuxer = Demuxer(max_line_bytes=self._max_line_bytes)
        lines: list[Line] = []
        async with await self._engine.logs(
            self._container_id, 0, self._streams, follow=False, tail=TAIL_LINES
        ) as response:
            await self._in_time(response, response.accepted())
            while data := await self._in_time(response, response.read()):
                lines += demuxer.feed(data)
        return lines

    @property
    def calm_seconds(self) -> float | None:
        """After what silence to `reread`, None when there is no need."""
        return None if self._watch is None else self._watch.calm_seconds

    async def ship(self, size: int, lines: list[Line]) -> int:
        """Ship *lines* of a read of *size* bytes, and those that are missing before.

        Returns how many were new.
        """
        watch = await self._watching(size)
        if watch is None:
            return await self._shipment.put(lines)
        watch.arrived(size, lines)
        if lines and watch.pressed(self._now_ns() - lines[-1][1].timestamp_ns):
            self._shipment.hurry()
        put, progress = self._shipment.put, self._shipment.progress
        start = shipped = 0
        while start < len(lines):
            turn = watch.next_turn(lines, start, progress, self._shipment.labels)
            shipped += await put(lines[start:turn])
            if turn == len(lines):
                break
            if watch.doubtful(lines[turn], progress, first=turn == 0):
                shipped += await self.reread(lines[turn][1].timestamp_ns)
            # It is taken as it comes now: the search goes on behind it.
            start = turn + 1
            shipped += await put(lines[turn:start])
        return shipped

    async def reread(self, doubt_ns: int | None = None) -> int:
        """Ship what is in Docker's files; return how many lines were new.

        *doubt_ns* is the time of the line that the follower gives next, None when it
        gives none at the moment. With the container its files are removed, which does
        not end what the follower has.
        """
        progress = self._shipment.progress
        high_ns = progress.high_ns
        if doubt_ns is None:
            doubt_ns = high_ns + 1
        since_ns = progress.begin(doubt_ns, OVERLAP_NS)
        tail = self._tail(since_ns)
        shipped, began = 0, time.monotonic()
        with _gone_is_read():
            found = await self._files(since_ns, tail, high_ns)
            if found is None:
                found = await self._files(since_ns, None, high_ns)
            shipped = found or 0
        progress.resume(doubt_ns)
        if self._watch is not None:
            self._watch.verified(time.monotonic() - began)
        self._meters.rereads(1)
        log.debug(
            "docker's log files were read for lines that its follower left out",
            extra={"fields": {"container": self._container_id[:12], "new": shipped}},
        )
        return shipped

    def _tail(self, since_ns: int) -> int | None:
        """Guess how many lines there are from *since_ns* on."""
        if self._watch is None:
            return None
        past = (self._now_ns() - since_ns) / SECOND_NS
        return int(1.5 * max(0, past) * self._watch.lines_per_second) + LEAST_TAIL

    async def _files(self, since_ns: int, tail: int | None, high_ns: int) -> int | None:
        """Ship the last *tail* lines that the files have; None if they are too few.

        They are when the first is after *high_ns*, up to which all was read.
        """
        demuxer = Demuxer(max_line_bytes=self._max_line_bytes)
        shipped = 0
        async with await self._engine.logs(
            self._container_id, since_ns, self._streams, follow=False, tail=tail
        ) as response:
            await self._in_time(response, response.accepted())
            while data := await self._in_time(response, response.read()):
                lines = demuxer.feed(data)
                if tail is not None and lines:
                    if lines[0][1].timestamp_ns > high_ns:
                        return None
                    tail = None
                shipped += await self._shipment.put(lines)
            if not response.complete:
                raise DockerError(f"{response.what}: {response.failure}")
        # An unfinished line is not flushed: the follower has its beginning, too.
        return shipped

    async def _in_time(self, response: Response, answer: Awaitable[T]) -> T:
        limit = self._answer_seconds
        try:
            async with asyncio.timeout(limit):
                return await answer
        except TimeoutError:
            raise DockerError(
                f"{response.what}: no answer within {limit:g} s"
            ) from None

    async def _watching(self, size: int) -> SkipWatch | None:
        """Return what notices skipped lines, None when none can be skipped."""
        before, self._received = self._received, self._received + size
        if before < WATCH_AFTER_BYTES <= self._received:
            with suppress(DockerError):  # it may be gone
                config = await self._engine.log_config(self._container_id)
                self._rotate_bytes = file_bytes(config)
                self._shipment.rotates = self._rotate_bytes is not None
        if self._watch is None and self._rotate_bytes is not None:
            clock = asyncio.get_running_loop().time
            self._watch = SkipWatch(self._rotate_bytes, self._opened_ns, clock)
        return self._watch
