"""Old lines leave the file: by age, and oldest first while it is too large.

Small steps in the writer's thread, pushes pass in between; freed pages go back to the
file system (incremental vacuum). Times are log times, as in Loki's compactor.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shipper.store.errors import Unavailable
from shipper.store.ingest import Ingester
from shipper.store.schema import used_bytes
from shipper.store.settings import RetentionPolicy
from shipper.store.writer import Writer
from shipper.wire.errors import failure
from shipper.wire.model import SECOND_NS


log = logging.getLogger(__name__)

STEP_ROWS: Final = 5000
STEP_PAGES: Final = 2000
INTERVAL_SECONDS: Final = 60.0
_SLICES: Final = 100
"""By size, a hundredth of the stored time span goes at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did: *deleted* lines, and whether there is *more* to do."""

    deleted: int
    more: bool


class Retention:
    """Delete through *connection*, which is the writer's; *clock* is in ns."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        ingester: Ingester,
        policy: RetentionPolicy,
        clock: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._ingester = ingester
        self._policy = policy
        self._clock = clock

    def step(self) -> Step:
        """Delete at most `STEP_ROWS` lines. Raises Unavailable when SQLite refuses.

        Lines of one stream and timestamp go together, however many there are.
        """
        try:
            cutoff = self._cutoff()
            deleted = self._delete_before(cutoff) if cutoff is not None else 0
            if not deleted:
                self._delete_empty_streams()
            # execute() would step the statement once, and free a single page.
            self._connection.executescript(f"PRAGMA incremental_vacuum({STEP_PAGES})")
            return Step(deleted, deleted > 0)
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise Unavailable(f"deleting old lines: {failure(error)}") from error

    def _cutoff(self) -> int | None:
        """Return the time before which lines go, None when nothing has to."""
        now = self._clock()
        cutoff = now - self._policy.age_ns if self._policy.age_ns else None
        most = self._policy.size_bytes
        if most and used_bytes(self._connection) > most:
            oldest = self._connection.execute(
                "SELECT MIN((SELECT MIN(ts) FROM entries WHERE stream = streams.id))"
                " FROM streams"
            ).fetchone()[0]
            if oldest is not None:
                piece = max((now - oldest) // _SLICES, SECOND_NS)
                cutoff = max(oldest + piece, oldest if cutoff is None else cutoff)
        return cutoff

    def _delete_before(self, cutoff: int) -> int:
        deleted = 0
        self._connection.execute("BEGIN IMMEDIATE")
        ids = self._connection.execute("SELECT id FROM streams").fetchall()
        for (id_,) in ids:
            if deleted >= STEP_ROWS:
                break
            deleted += self._delete_from(id_, cutoff, STEP_ROWS - deleted)
        self._connection.execute("COMMIT")
        return deleted

    def _delete_from(self, stream: int, cutoff: int, rows: int) -> int:
        execute = self._connection.execute
        beyond = execute(
            "SELECT ts FROM entries WHERE stream = ? AND ts < ?"
            " ORDER BY ts LIMIT 1 OFFSET ?",
            (stream, cutoff, rows - 1),
        ).fetchone()
        end = cutoff if beyond is None else beyond[0] + 1
        return execute(
            "DELETE FROM entries WHERE stream = ? AND ts < ?", (stream, end)
        ).rowcount

    def _delete_empty_streams(self) -> None:
        rows = self._connection.execute(
            "SELECT id FROM streams WHERE NOT EXISTS"
            " (SELECT 1 FROM entries WHERE stream = streams.id)"
        ).fetchall()
        gone = {row[0] for row in rows} & self._ingester.idle()
        if not gone:
            return
        self._connection.execute("BEGIN IMMEDIATE")
        for table, column in (("labels", "stream"), ("streams", "id")):
            self._connection.executemany(
                f"DELETE FROM {table} WHERE {column} = ?",  # noqa: S608 -- our names
                [(id_,) for id_ in gone],
            )
        self._connection.execute("COMMIT")
        self._ingester.forget(gone)


async def keep(
    retention: Retention,
    writer: Writer,
    stop: asyncio.Event,
    note: Callable[[int], None],
) -> None:
    """Run steps until *stop*: at once while there is more, else every minute.

    *note* hears how many lines went. A step that fails is logged and tried again a
    minute later.
    """
    while not stop.is_set():
        try:
            step = await writer.call(retention.step)
        except Unavailable as error:
            fields = {"err": error.text}
            log.error("retention failed", extra={"fields": fields})  # noqa: TRY400 -- one line
            step = Step(0, more=False)
        note(step.deleted)
        if step.more:
            continue
        try:
            async with asyncio.timeout(INTERVAL_SECONDS):
                await stop.wait()
        except TimeoutError:
            continue
