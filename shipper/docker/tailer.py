"""Follow one container's log: from Docker's bytes to ``sink.put``, each line once.

One connection carries both streams. It is opened again when it is cut, when the
container was restarted, and when the daemon comes back; what comes twice is suppressed
by `shipper.docker.progress`. While ``put`` waits, nothing is read: Docker's log file is
the queue.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from shipper.docker.backlog import Backlog
from shipper.docker.engine import Engine
from shipper.docker.frames import (
    DEFAULT_MAX_LINE_BYTES,
    STDERR,
    STDOUT,
    Demuxer,
    FrameError,
)
from shipper.docker.ledger import STREAM_NAMES
from shipper.docker.meta import STREAM_LABEL
from shipper.docker.meters import Meters, NoMeters
from shipper.docker.progress import Progress
from shipper.docker.retry import Retry
from shipper.docker.shipment import Shipment
from shipper.docker.stream import DockerError, DockerRefusedError, Response
from shipper.docker.verify import Verifier
from shipper.pipeline.entry import BoundedSink, Labels
from shipper.relabel import final_labels


log = logging.getLogger(__name__)

Relabel = Callable[[dict[str, str]], dict[str, str] | None]
Discovered = Mapping[str, str]
Describe = Callable[[], Awaitable[Discovered | None]]

DRAIN_SECONDS = 30.0
"""Silence after a container's death that means its log will not end by itself."""

DRAIN_CHECK_SECONDS = 1.0
"""How often a tailer that waits for its backlog looks whether the container is back."""

ANSWER_SECONDS = 300.0
"""How long no answer is taken for a silent container before it is asked again."""


class Outcome(Enum):
    """Why a log is not followed any more."""

    ENDED = "the container stopped and its log was read to the end"
    GONE = "the container was removed"
    UNREADABLE = "the log driver does not support reading"
    UNWANTED = "filters or relabelling leave nothing to read"


@dataclass(frozen=True, slots=True)
class Settings:
    """What all tailers of a job share."""

    relabel: Relabel
    sink: BoundedSink
    meters: Meters = field(default_factory=NoMeters)
    retry: Retry = field(default_factory=Retry)
    max_line_bytes: int = DEFAULT_MAX_LINE_BYTES
    drain_seconds: float = DRAIN_SECONDS
    answer_seconds: float = ANSWER_SECONDS


def stream_labels(relabel: Relabel, discovered: Discovered) -> dict[int, Labels]:
    """Return the final labels of each stream that *relabel* keeps."""
    kept = {}
    for stream, name in STREAM_NAMES.items():
        labels = relabel({**discovered, STREAM_LABEL: name})
        if labels is not None:
            kept[stream] = final_labels(labels)
    return kept


class Tailer:
    """The reader of one container; `run` once, then drop it.

    *describe* gives the discovered labels, None when the container is not wanted; it is
    asked when the log is open already, because a container may be gone in a moment.
    """

    def __init__(
        self,
        container_id: str,
        engine: Engine,
        progress: Progress,
        describe: Describe,
        settings: Settings,
        *,
        backlog: Backlog | None = None,
        live: bool = False,
        gone: bool = False,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Read *container_id*; *live* says that it may write yet.

        *gone*: there is nothing to read any more but the *backlog*.
        """
        self.container_id = container_id
        self.discovered: Discovered = {}
        """The labels before relabelling."""
        self.read_out = asyncio.Event()
        """Set while there is nothing more to read of the log."""
        self.error = ""
        """Why the connection was lost, until a line comes again."""
        self._engine = engine
        self._shipment = Shipment(
            container_id,
            progress,
            settings.sink,
            settings.meters,
            backlog=backlog,
            label=partial(stream_labels, settings.relabel),
        )
        self._backlog = backlog
        self._progress = progress
        self._verifier = Verifier(
            engine,
            container_id,
            self._shipment,
            settings.meters,
            max_line_bytes=settings.max_line_bytes,
            answer_seconds=settings.answer_seconds,
        )
        self._describe = describe
        self._settings = settings
        self._response: Response | None = None
        self._described = False
        self._opened: Sequence[int] = (STDOUT, STDERR)
        self._now_ns = now_ns
        self._live = live
        self._gone = gone
        self._unfinished: Demuxer | None = None
        self._failures = 0
        self._restarted = False
        self._hurry = asyncio.Event()
        self._dead = False
        self._silence: asyncio.Timeout | None = None

    @property
    def labels(self) -> dict[int, Labels]:
        """The labels of each stream that is read."""
        return self._shipment.labels

    @property
    def dead(self) -> bool:
        """Whether the container has died: its log may be deleted at any moment."""
        return self._dead

    # What the supervisor tells

    def started(self) -> None:
        """Note that the container was started (again): its log goes on."""
        self._restarted = self._live = True
        self._dead = False
        self._doom(doomed=False)
        self._limit_silence(None)
        self._hurry.set()

    def died(self) -> None:
        """Note that the container died: its log is about to end."""
        self._dead = True
        self._doom(doomed=True)
        self._limit_silence(self._drained_at())

    def _doom(self, *, doomed: bool) -> None:
        if self._backlog is not None:
            self._backlog.doomed = doomed

    def hurry(self) -> None:
        """Do not wait any longer before the next attempt."""
        self._hurry.set()

    def describe_as(self, discovered: Discovered) -> None:
        """Relabel from here on by *discovered* (a container may be renamed)."""
        if discovered is self.discovered:
            return
        if self._described and discovered == self.discovered:
            self.discovered = discovered  # the next time it is the same object
            return
        self.discovered, self._described = discovered, True
        self._shipment.labels = stream_labels(self._settings.relabel, discovered)
        if self._backlog is not None:
            self._backlog.discovered = discovered
        if self._response is not None and set(self.labels) - set(self._opened):
            self._response.close()

    def oldest_ns(self) -> int | None:
        """Return the time of the oldest line that is read and not acknowledged."""
        oldest = [self._progress.oldest_in_flight_ns()]
        if self._backlog is not None:
            oldest.append(self._backlog.oldest_ns())
        return min((stamp for stamp in oldest if stamp is not None), default=None)

    # The work

    async def run(self) -> Outcome:
        """Follow the log until it is read to its end; never raises DockerError.

        Nothing waits in the backlog then: it has departed.
        """
        async with asyncio.TaskGroup() as tasks:
            shipping = tasks.create_task(self._shipment.run())
            outcome = Outcome.GONE if self._gone else await self._follow()
            self.read_out.set()
            while not await self._drained():
                self.read_out.clear()
                outcome = await self._follow()
                self.read_out.set()
            shipping.cancel()
        return outcome

    async def _drained(self) -> bool:
        """Wait until the backlog is empty; False: the container was started again."""
        while self._backlog is not None and self._backlog.waiting:
            if self._restarted:
                return False
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_CHECK_SECONDS):
                    await self._backlog.settled()
        return True

    async def _follow(self) -> Outcome:
        while True:
            self._restarted = False
            self._hurry.clear()
            try:
                outcome = await self._attempt()
            except DockerRefusedError as error:
                outcome = self._refused(error)
                if outcome is Outcome.GONE:
                    await self._flush()
            except (DockerError, FrameError) as error:
                self._failed(str(error))
                outcome = None
            else:
                # Until a new line comes: a log that ends and ends is no success.
                self._failures += 1
            if outcome is not None and not self._restarted:
                return outcome
            await self._pause()

    async def _attempt(self) -> Outcome | None:
        """Read the log as far as it goes; None to go on with another connection."""
        outcome = await self._connection()
        if outcome is not Outcome.ENDED:
            return outcome
        if await self._engine.running(self.container_id):
            return None
        if self._live:
            # dockerd 20.10 may end a log that is followed before its last lines are
            # written; once a container does not run any more they are.
            self._live = False
            return await self._attempt()
        await self._flush()
        return Outcome.ENDED

    async def _connection(self) -> Outcome | None:
        """Read one connection; ENDED when it came to its orderly end."""
        complaints = self._shipment.complaints
        # Where nothing was read yet the log is opened first: it may be gone soon.
        if self._progress.read.marks and not await self._know_labels():
            return Outcome.UNWANTED
        self._verifier.opened(self._opened)
        everything = await self._verifier.look_back()
        since_ns = self._progress.begin()
        if everything or since_ns > self._now_ns():  # the clock was set back
            since_ns = self._progress.begin(0)
        async with await self._engine.logs(
            self.container_id, since_ns, self._opened
        ) as response:
            self._response = response
            try:
                if not await self._know_labels():
                    return Outcome.UNWANTED
                if not await self._answered(response):
                    return None
                unfinished = await self._pump(response)
            finally:
                self._response = None
        if self._shipment.complaints > complaints:
            raise DockerError(f"{response.what}: the daemon reported an error")
        self._unfinished = unfinished
        return Outcome.ENDED

    async def _know_labels(self) -> bool:
        if not self._described:
            discovered = await self._describe()
            if discovered is None:
                return False
            self.describe_as(discovered)
        self._opened = sorted(self.labels)
        return bool(self.labels)

    async def _answered(self, response: Response) -> bool:
        """Wait for the headers; False when it is time to ask anew."""
        limit = asyncio.get_running_loop().time() + self._settings.answer_seconds
        try:
            async with self._silent_until(limit):
                await response.accepted()
        except TimeoutError:
            return False
        return True

    @asynccontextmanager
    async def _silent_until(self, until: float | None) -> AsyncIterator[None]:
        """Limit a wait, of which the container's death or start may move the end."""
        until = self._drained_at() if self._dead else until
        try:
            async with asyncio.timeout_at(until) as self._silence:
                yield
        finally:
            self._silence = None

    async def _pump(self, response: Response) -> Demuxer:
        """Ship a response to its end; DockerError when that is not the log's end.

        Returned is what has no newline yet.
        """
        demuxer = Demuxer(max_line_bytes=self._settings.max_line_bytes)
        try:
            while (parts := await self._read(response)) != []:
                if parts is None:
                    await self._verifier.reread()
                    continue
                size, lines = sum(map(len, parts)), demuxer.feed_parts(parts)
                if await self._verifier.ship(size, lines):
                    self._failures, self.error = 0, ""
        finally:
            self._count(demuxer)
        if not response.complete:
            # What is unfinished will be read again, in full.
            raise DockerError(f"{response.what}: {response.failure}")
        return demuxer

    async def _flush(self) -> None:
        """Ship what has no newline at the end of the log: nothing can follow it."""
        if self._unfinished is not None:
            await self._shipment.put(self._unfinished.flush())
            self._count(self._unfinished)
            self._unfinished = None

    def _count(self, demuxer: Demuxer) -> None:
        self._settings.meters.parsing_errors(demuxer.parsing_errors)
        self._settings.meters.truncated(demuxer.truncated)
        demuxer.parsing_errors = demuxer.truncated = 0

    async def _read(self, response: Response) -> list[bytes] | None:
        """Return what comes next, None when it is silent and time to look why."""
        now = asyncio.get_running_loop().time()
        calm = self._verifier.calm_seconds
        calm_at = None if calm is None else now + calm
        try:
            async with self._silent_until(calm_at):
                return await response.read_parts()
        except TimeoutError:
            if not self._dead:
                return None
            raise DockerError(
                f"{response.what}: the container died, its log neither went on nor "
                f"ended within {self._settings.drain_seconds:g} s"
            ) from None

    def _refused(self, error: DockerRefusedError) -> Outcome | None:
        if error.status == 404:
            return Outcome.GONE
        if error.status == 501:
            log.warning("%s", error)
            return Outcome.UNREADABLE
        self._failed(str(error))
        return None

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self.error = reason
        self._settings.meters.reconnects(1)
        level = logging.WARNING if self._failures == 1 else logging.DEBUG
        log.log(
            level,
            "log connection lost: %s",
            reason,
            extra={"fields": {"container": self.container_id[:12]}},
        )

    async def _pause(self) -> None:
        """Wait before the next attempt, less when told to hurry."""
        delay = self._settings.retry.delay(max(1, self._failures))
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._hurry.wait()

    def _limit_silence(self, until: float | None) -> None:
        if self._silence is not None:
            with suppress(RuntimeError):  # it has passed just now
                self._silence.reschedule(until)

    def _drained_at(self) -> float:
        return asyncio.get_running_loop().time() + self._settings.drain_seconds
