"""Reads the journal with journalctl, from the cursor on that was kept."""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from shipper.files.ledger import position_key
from shipper.journal.child import Child
from shipper.journal.command import PACKAGE, PROGRAM, Start, commands, start_from
from shipper.journal.export import ExportParser, JournalEntry
from shipper.journal.labels import Labeller, line
from shipper.journal.metrics import Meters
from shipper.journal.progress import Progress
from shipper.loki.backoff import Backoff
from shipper.pipeline.entry import Entry, Sink
from shipper.positions import Positions
from shipper.source import Target


log = logging.getLogger(__name__)

MAX_SHOWN_STREAMS = 100

BACKOFF = Backoff(0.5, 30.0)

RUNS_SECONDS = 3.0
"""After which journalctl is taken to do its work, though it has nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    """What to read: *path* is a directory, none means this machine's journal."""

    path: str = ""
    matches: tuple[str, ...] = ()
    as_json: bool = False
    max_age_seconds: float = 7 * 3600.0
    backoff: Backoff = BACKOFF


class JournalSource:
    """Implements `shipper.source.Source`. *now_ns* counts from 1970."""

    def __init__(
        self,
        job: str,
        settings: JournalSettings,
        labeller: Labeller,
        *,
        positions: Positions,
        sink: Sink,
        meters: Meters,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.job = job
        self._settings = settings
        self._labeller = labeller
        self._sink = sink
        self._meters = meters
        self._now_ns = now_ns
        self._key = f"cursor-{position_key(job)}"
        kept = positions[self._key] if self._key in positions else None  # noqa: SIM401  # no dict
        self._start = start_from(kept, settings.max_age_seconds, now_ns() // 1000)
        self._progress = Progress(self._start.cursor)
        self._reason: str | None = None
        self._attempts = 0
        self._stopping = asyncio.Event()
        positions.register(self._changes)

    async def run(self) -> None:
        """Read until `stop_reading`, whatever becomes of journalctl meanwhile."""
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read_on(), name=f"journal {self.job}")
            await self._stopping.wait()
            reading.cancel()

    def stop_reading(self) -> None:
        """Stop intake at once; what was put stays with the sink. `run` returns."""
        self._stopping.set()

    def not_ready(self) -> str | None:
        """Return in one line why the journal cannot be read, or None."""
        return self._reason

    def targets(self) -> Iterator[Target]:
        """Return the journal as the one thing that is read."""
        oldest_us = self._progress.oldest_us
        late = 0 if oldest_us is None else self._now_ns() // 1000 - oldest_us
        shown = self._labeller.streams[:MAX_SHOWN_STREAMS]
        streams = {str(number): labels for number, labels in enumerate(shown, 1)}
        yield Target(
            job=self.job,
            kind="journal",
            name=self._settings.path or "journal",
            streams=streams or {"journal": ()},  # none: the rules drop it
            lag_seconds=max(0, late) / 1e6,
            error=self._reason or "",
            details={"position": self._progress.done},
        )

    def _changes(self) -> Mapping[str, str]:
        done = self._progress.done
        return {self._key: done} if done else {}

    # The work

    async def _read_on(self) -> None:
        while True:
            problem = await self._read_all()
            self._attempts += 1
            if problem != self._reason:
                log.warning("the journal is not read, trying again: %s", problem)
            self._reason = problem
            await asyncio.sleep(self._settings.backoff.delay(self._attempts))

    async def _read_all(self) -> str:
        """Read until journalctl ends; return why it did."""
        settings = self._settings
        ways = len(commands(self._start, path=settings.path))
        for way in range(ways):
            command = commands(
                self._start, path=settings.path, matches=settings.matches
            )[way]
            child = Child(command)
            try:
                await self._read(child)
            except OSError as error:
                return _why(error)
            if child.problem:
                self._doubt_cursor(child.problem)
                return f"{PROGRAM}: {child.problem}"
        return f"{PROGRAM} ended"

    def _doubt_cursor(self, problem: str) -> None:
        """Go by time from now on if journalctl cannot make anything of the cursor."""
        if "cursor" in problem.lower() and self._start.cursor:
            self._start = Start(since_us=self._start.since_us)

    async def _read(self, child: Child) -> None:
        parser = ExportParser()
        runs = asyncio.get_running_loop().call_later(RUNS_SECONDS, self._works)
        try:
            async with aclosing(child.output()) as output:
                async for chunk in output:
                    for entry in parser.feed(chunk):
                        await self._take(entry)
                    self._count(parser)
        finally:
            runs.cancel()

    def _count(self, parser: ExportParser) -> None:
        for _ in range(parser.malformed):
            self._meters.error("malformed")
        if parser.truncated:
            self._meters.truncated(parser.truncated)
        parser.malformed = parser.truncated = 0

    def _works(self) -> None:
        self._attempts = 0
        if self._reason is not None:
            self._reason = None
            log.info("the journal is read again")

    async def _take(self, entry: JournalEntry) -> None:
        self._works()
        if entry.cursor == self._start.cursor:  # it was read before
            return
        text = line(entry.fields, as_json=self._settings.as_json)
        labels = self._labeller.labels(entry.fields)
        # In promtail's order: an entry that has neither is one without a message.
        if text is None or not labels:
            self._meters.error("no_message" if text is None else "empty_labels")
            self._progress.passed(entry.cursor)
        else:
            # Before put: a sink may acknowledge at once.
            self._progress.put(entry.cursor, entry.realtime_us)
            timestamp_ns = entry.realtime_us * 1000
            await self._sink.put(labels, Entry(timestamp_ns, text), self._progress)
            self._meters.line()
        self._start = Start(entry.cursor, self._start.since_us)


def _why(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return f"{PROGRAM} is not there: install the package {PACKAGE}"
    return f"{PROGRAM} cannot be started: {error.strerror or error}"
