"""The folder of the spool: its queues, its limit, and the thread that works there.

    <folder>/docker/<job>/<container id>/<segment>.blocks
    <folder>/others/<segment>.blocks

The limit is for all queues together. What is oldest is kept: a queue that finds no
room has to wait, and so has who fills it. One queue may have seven eighths, so that a
noisy one leaves some room to the others.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, TypeVar
from urllib.parse import quote, unquote

from shipper.loki.quiet import Quiet

from .queue import DiskQueue


log = logging.getLogger(__name__)

T = TypeVar("T")

TICK_SECONDS = 0.5
"""How often members look after themselves: what waits is written, what is done goes."""

SYNC_TICKS = 10
"""Every so many ticks what was written is made to survive a power cut."""

WAIT_SECONDS = 1.0
"""After so long a queue that found no room tries again; a disk may have been freed."""


class Member(Protocol):
    """Who has a queue, and says `Volume.stir` when `at_rest` may have ended."""

    @property
    def at_rest(self) -> bool:
        """Whether there is nothing to write and nothing to drop."""

    async def tick(self) -> None:
        """Write what has waited for long enough, drop what is done."""

    async def save(self) -> None:
        """Write everything that is not acknowledged: the program stops."""


class Meters(Protocol):
    """What the spool counts."""

    def full(self) -> None:
        """Count that a queue found no room."""

    def failed(self) -> None:
        """Count that the disk refused."""

    def damaged(self, blocks: int) -> None:
        """Count *blocks* that could not be read back."""


class NoMeters:
    """Count nothing."""

    def full(self) -> None:
        """Ignore it."""

    def failed(self) -> None:
        """Ignore it."""

    def damaged(self, blocks: int) -> None:
        """Ignore *blocks*."""


class Volume:
    """The spool in *folder*, at most *limit_bytes* of it. Run `run` as a task."""

    def __init__(
        self, folder: str, limit_bytes: int, meters: Meters | None = None
    ) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.meters = meters or NoMeters()
        self._members: dict[Member, None] = {}
        # Those that may not be at rest. To ask all of 100 twice a second took a sixth
        # of what the shipper did while no container said anything.
        self._stirred: dict[Member, None] = {}
        self._stir = asyncio.Event()
        self._queues: dict[str, DiskQueue] = {}
        self._full: set[str] = set()
        self._jobs: set[str] = set()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._freed = asyncio.Event()
        self._quiet = Quiet(asyncio.get_running_loop().time)

    # Queues

    def docker_ids(self, job: str) -> list[str]:
        """Return the containers of *job* that have a queue here. It is a short look."""
        self._jobs.add(job)
        return list(self._names("docker", _folder(job)))

    def unread(self) -> list[str]:
        """Return the jobs that have queues here, and whose nobody has asked for."""
        jobs = {unquote(name) for name in self._names("docker")}
        return sorted(jobs - self._jobs)

    def docker_queue(self, job: str, container_id: str) -> DiskQueue:
        """Return the queue of a container; the same one for as long as it is kept."""
        return self.queue("docker", _folder(job), container_id)

    def queue(self, *names: str) -> DiskQueue:
        """Return the queue of *names*, which are folders in each other."""
        folder = os.path.join(self.folder, *names)
        if folder not in self._queues:
            self._queues[folder] = DiskQueue(folder)
        return self._queues[folder]

    def _names(self, *names: str) -> Iterator[str]:
        folder = os.path.join(self.folder, *names)
        with suppress(FileNotFoundError):
            for name in sorted(os.listdir(folder)):
                if os.path.isdir(os.path.join(folder, name)):
                    yield name

    # Room

    @property
    def used_bytes(self) -> int:
        """What all queues hold."""
        return sum(queue.size for queue in self._queues.values())

    def admits(self, queue: DiskQueue, size: int) -> bool:
        """Say whether *queue* may grow by *size* bytes."""
        most = self.limit_bytes - self.limit_bytes // 8
        return queue.size + size <= most and self.used_bytes + size <= self.limit_bytes

    async def room(self) -> None:
        """Wait until something was dropped, a moment at the longest."""
        self._freed.clear()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._freed.wait()
        except TimeoutError:
            return

    def release(self, queue: DiskQueue) -> None:
        """Forget *queue*, which is empty."""
        self._queues.pop(queue.folder, None)
        self._freed.set()

    # Work

    async def call(self, function: Callable[..., T], *args: object) -> T:
        """Run *function* in the spool's thread.

        When this is cancelled, the function has ended all the same.
        """
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._executor, lambda: function(*args))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait({future})
            raise

    async def append(self, queue: DiskQueue, block: bytes) -> bool:
        """Append *block* to *queue*; False: there is no room, or the disk refuses.

        It is counted, and logged once a minute.
        """
        if not self.admits(queue, len(block)):
            if queue.folder not in self._full:
                self._full.add(queue.folder)
                self.meters.full()
            self._say("the spool is full, reading waits", f"{self.limit_bytes} bytes")
            return False
        self._full.discard(queue.folder)
        try:
            await self.call(queue.append, block)
        except OSError as error:
            self._failed(error)
            return False
        return True

    async def drop(self, queue: DiskQueue, before: int) -> None:
        """Delete the segments of *queue* below *before*."""
        if before > queue.front.segment:
            await self.call(queue.drop, before)
            self._freed.set()

    async def clear(self, queue: DiskQueue) -> None:
        """Delete everything of *queue*."""
        await self.call(queue.clear)
        self._full.discard(queue.folder)
        self._freed.set()

    def join(self, member: Member) -> None:
        """Look after *member* from now on."""
        self._members[member] = None
        self.stir(member)

    def stir(self, member: Member) -> None:
        """Note that *member* may have something to do."""
        if member in self._members:
            self._stirred[member] = None
            self._stir.set()

    def leave(self, member: Member) -> None:
        """Do not look after *member* any more."""
        self._members.pop(member, None)
        self._stirred.pop(member, None)

    async def run(self) -> None:
        """Look after the members until cancelled."""
        ticks = 0
        while True:
            if not self._stirred and not self._dirty():
                self._stir.clear()
                await self._stir.wait()
            await asyncio.sleep(TICK_SECONDS)
            for member in list(self._stirred):
                await self._tick(member)
            ticks += 1
            if ticks % SYNC_TICKS == 0:
                await self._sync()

    async def _tick(self, member: Member) -> None:
        if member.at_rest:
            self._stirred.pop(member, None)
            return
        try:
            await member.tick()
        except Exception:  # one queue must not end the others
            log.exception("the spool cannot look after a queue")

    async def close(self) -> None:
        """Save what every member holds; nothing is put or acknowledged any more."""
        for member in list(self._members):
            await member.save()
        for queue in self._queues.values():
            try:
                await self.call(queue.close)
            except OSError as error:
                log.error("%s: not written to the end: %s", queue.folder, error)  # noqa: TRY400 - one line, no traceback
        self._executor.shutdown(wait=False)

    def _dirty(self) -> list[DiskQueue]:
        """Return the queues of which not all would survive a power cut."""
        return [queue for queue in self._queues.values() if queue.dirty]

    async def _sync(self) -> None:
        for queue in self._dirty():
            try:
                await self.call(queue.sync)
            except OSError as error:
                self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.meters.failed()
        self._say("the spool cannot be written, reading waits", str(error))

    def _say(self, text: str, reason: str) -> None:
        again = self._quiet.may_say(text)
        if again is not None:
            fields = {"folder": self.folder, "error": reason, "suppressed": again}
            log.error(text, extra={"fields": fields})


def _folder(job: str) -> str:
    """Return *job* as the name of a folder; `unquote` gives it back."""
    return quote(job, safe="").replace(".", "%2E")
