"""Hand on the lines of followed files, a bounded number at a turn."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

from exporters.nginx.access_log.sources.follow import Follower, Turn
from exporters.nginx.access_log.sources.intake import Line
from exporters.toolkit.errors import StartError


log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.25
_START_SECONDS: Final = 10.0
_LAST_SECONDS: Final = 1.0


class Files:
    """The followed files of one access log; each line goes to *line*.

    The disk is asked in a thread of its own: one that hangs holds up nothing else.
    """

    def __init__(self, patterns: Iterable[str], line: Line) -> None:
        self._patterns = tuple(patterns)
        self.follower = Follower(self._patterns)
        self._line = line
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="access-log")
        self._closing = asyncio.Event()

    async def start(self) -> None:
        """Open what is there; raises StartError for a file that cannot be read."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_START_SECONDS):
                await loop.run_in_executor(
                    self._thread, self.follower.start, time.monotonic()
                )
        except TimeoutError as error:
            raise StartError(
                f"{', '.join(self._patterns)}: cannot follow: expected an answer from "
                f"the disk within {_START_SECONDS:g} s"
            ) from error

    async def run(self) -> None:
        """Follow until `close`, then read what there is, at most for a second."""
        while not self._closing.is_set():
            if not await self._safe_turn():
                await self._pause()
        end = time.monotonic() + _LAST_SECONDS
        while await self._safe_turn() and time.monotonic() < end:
            pass

    def close(self) -> None:
        """Let `run` come to its end."""
        self._closing.set()

    def release(self) -> None:
        """Close the files, after what the thread does at the moment."""
        self._thread.submit(self.follower.close)
        self._thread.shutdown(wait=False)

    async def _safe_turn(self) -> bool:
        try:
            return await self._turn()
        except Exception:  # one turn that fails must not be the last
            log.exception("read on in the access log")
            return False

    async def _turn(self) -> bool:
        """Count what is new; return whether there is more at once."""
        loop = asyncio.get_running_loop()
        turn: Turn = await loop.run_in_executor(
            self._thread, self.follower.turn, time.monotonic()
        )
        for line in turn.lines:
            self._line(line)
        return turn.more

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._closing.wait()
        except TimeoutError:
            pass


@asynccontextmanager
async def follow_files(patterns: Iterable[str], line: Line) -> AsyncIterator[Follower]:
    """Give *line* each line that is written to the files of *patterns*."""
    files = Files(patterns, line)
    try:
        await files.start()
        task = asyncio.create_task(files.run(), name="access log files")
        try:
            yield files.follower
        finally:
            files.close()
            await asyncio.wait([task], timeout=2 * _LAST_SECONDS)
            task.cancel()  # when a disk hangs
    finally:
        files.release()
