"""Entries into the file: what Loki's ingester decides, inside one transaction.

Everything here runs in the writer's thread. Counterpart of pkg/ingester/stream.go and
instance.go (3.4): stream limit, per-stream rate, the too-far-behind window, and
duplicates, which here are found for good and not only while a chunk is open.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from exporters.toolkit.datasize import format_byte_size
from shipper.pipeline.entry import Entry, Metadata
from shipper.store.bucket import Bucket
from shipper.store.durations import go_time, rfc3339
from shipper.store.errors import Unavailable
from shipper.store.limits import Limits
from shipper.store.model import Refusal, Stream, entry_bytes, total_bytes
from shipper.wire.errors import failure
from shipper.wire.model import MIN_NS


_INSERT: Final = "INSERT INTO entries VALUES (?, ?, ?, ?, ?)"
_MAX_RETURNED_ERRORS: Final = 10  # ingester.max-ignored-stream-errors
_ADVICE: Final = (
    "or contact your Loki administrator to see if the limit can be increased"
)


class Batch(NamedTuple):
    """The accepted streams of one push of *tenant*."""

    tenant: str
    streams: Sequence[Stream]


class Outcome(NamedTuple):
    """What became of a batch: streams as stored, lines found twice, refusals."""

    stored: list[Stream]
    duplicates: int
    refusals: list[Refusal]


class StreamState:
    """What is remembered of a stream: its id, newest time, last append, rate."""

    __slots__ = ("appended_ns", "bucket", "id", "newest_ns")

    def __init__(
        self, id_: int, newest_ns: int, appended_ns: int, bucket: Bucket
    ) -> None:
        self.id = id_
        self.newest_ns = newest_ns
        self.appended_ns = appended_ns
        self.bucket = bucket


class Ingester:
    """Write batches through *connection*, many in one commit.

    *clock* returns the time in nanoseconds since 1970.
    """

    def __init__(
        self, connection: sqlite3.Connection, limits: Limits, clock: Callable[[], int]
    ) -> None:
        self._connection = connection
        self._limits = limits
        self._clock = clock
        self._streams: dict[tuple[str, str], StreamState] = {}
        self._reload()

    @property
    def streams(self) -> int:
        """Return the number of streams in the file."""
        return len(self._streams)

    def commit(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Store *batches* and return when they are on the disk.

        Raises Unavailable when SQLite refuses; then nothing of them is stored.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._append(batch) for batch in batches]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise Unavailable(f"storing the push: {failure(error)}") from error
        return outcomes

    def forget(self, ids: set[int]) -> None:
        """Drop what is remembered of the streams *ids*: retention deleted them."""
        self._streams = {k: s for k, s in self._streams.items() if s.id not in ids}

    def idle(self) -> set[int]:
        """Return the ids of the streams that are not active now."""
        since = self._clock() - self._limits.chunk_idle_ns
        return {s.id for s in self._streams.values() if s.appended_ns < since}

    def _undo(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._reload()  # streams made in the lost transaction do not exist
        except sqlite3.Error as error:
            raise Unavailable(f"storing the push: {failure(error)}") from error

    def _reload(self) -> None:
        """Learn the streams and their newest times from the file.

        A stream whose newest line is recent counts as active, as after Loki's WAL
        replay.
        """
        now = self._clock()
        rows = self._connection.execute(
            "SELECT tenant, labels, id,"
            " (SELECT MAX(ts) FROM entries WHERE stream = streams.id) FROM streams"
        ).fetchall()
        self._streams = {
            (tenant, labels): StreamState(
                id_,
                MIN_NS if newest is None else newest,
                MIN_NS if newest is None else min(now, newest),
                self._bucket(),
            )
            for tenant, labels, id_, newest in rows
        }

    def _bucket(self) -> Bucket:
        limits = self._limits
        return Bucket(limits.per_stream_rate_bytes, limits.per_stream_burst_bytes)

    def _append(self, batch: Batch) -> Outcome:
        outcome = Outcome([], 0, [])
        duplicates = 0
        for stream in batch.streams:
            state = self._state(batch.tenant, stream, outcome.refusals)
            if state is None:
                continue
            entries = self._admitted(batch.tenant, stream, state, outcome.refusals)
            if not entries:
                continue
            duplicates += self._insert(state, entries)
            state.newest_ns = max(state.newest_ns, *(e.timestamp_ns for e in entries))
            state.appended_ns = self._clock()
            outcome.stored.append(stream._replace(entries=entries))
        return outcome._replace(duplicates=duplicates)

    def _state(
        self, tenant: str, stream: Stream, refusals: list[Refusal]
    ) -> StreamState | None:
        key = (tenant, json.dumps(dict(stream.labels), ensure_ascii=False))
        state = self._streams.get(key)
        since = self._clock() - self._limits.chunk_idle_ns
        if state is not None and state.appended_ns >= since:
            return state
        most = self._limits.max_streams
        if most and self._active(tenant, since) >= most:
            text = (
                "Maximum active stream limit exceeded when trying to create stream "
                f"{stream.text}, reduce the number of active streams (reduce labels or "
                f"reduce label values), {_ADVICE}, user: '{tenant}'"
            )
            lines, size = len(stream.entries), total_bytes(stream.entries)
            refusals.append(Refusal(429, text, "stream_limit", lines, size))
            return None
        if state is None:
            state = StreamState(
                self._create(key, stream), MIN_NS, MIN_NS, self._bucket()
            )
            self._streams[key] = state
        return state

    def _active(self, tenant: str, since: int) -> int:
        """Return how many streams of *tenant* got a line after *since*."""
        if len(self._streams) < self._limits.max_streams:
            return 0  # there cannot be too many
        return sum(
            owner == tenant and state.appended_ns >= since
            for (owner, _), state in self._streams.items()
        )

    def _create(self, key: tuple[str, str], stream: Stream) -> int:
        execute = self._connection.execute
        cursor = execute("INSERT INTO streams (tenant, labels) VALUES (?, ?)", key)
        id_ = cursor.lastrowid
        assert id_ is not None
        self._connection.executemany(
            "INSERT INTO labels VALUES (?, ?, ?, ?)",
            [(key[0], name, value, id_) for name, value in stream.labels],
        )
        return id_

    def _admitted(
        self,
        tenant: str,
        stream: Stream,
        state: StreamState,
        refusals: list[Refusal],
    ) -> list[Entry]:
        """Return the entries inside the window, if the stream's rate allows them."""
        accepted, behind = self._in_window(stream.entries, state)
        size = total_bytes(accepted)
        now = self._clock()
        if not state.bucket.allow(size, now):
            shown = accepted[:_MAX_RETURNED_ERRORS]
            failed = [(entry, self._too_fast(entry, stream)) for entry in shown]
            text = _ignored(failed, len(accepted), tenant, stream)
            reason = "per_stream_rate_limit"
            refusals.append(Refusal(429, text, reason, len(accepted), size))
            return []
        if behind:
            text = _ignored(behind, len(behind), tenant, stream)
            lost = total_bytes([entry for entry, _ in behind])
            refusals.append(Refusal(400, text, "too_far_behind", len(behind), lost))
        return accepted

    def _too_fast(self, entry: Entry, stream: Stream) -> str:
        rate = format_byte_size(self._limits.per_stream_rate_bytes)
        size = format_byte_size(entry_bytes(entry))
        return (
            f"Per stream rate limit exceeded (limit: {rate}/sec) while attempting to "
            f"ingest for stream '{stream.text}' totaling {size}, consider splitting a "
            f"stream via additional labels {_ADVICE}"
        )

    def _in_window(
        self, entries: Sequence[Entry], state: StreamState
    ) -> tuple[list[Entry], list[tuple[Entry, str]]]:
        active = state.appended_ns >= self._clock() - self._limits.chunk_idle_ns
        newest = state.newest_ns if active else MIN_NS
        window = self._limits.max_chunk_age_ns // 2
        accepted: list[Entry] = []
        behind: list[tuple[Entry, str]] = []
        for entry in entries:
            timestamp = entry.timestamp_ns
            if timestamp < newest - window:
                text = (
                    f"entry too far behind, entry timestamp is: {rfc3339(timestamp)}, "
                    f"oldest acceptable timestamp is: {rfc3339(newest - window)}"
                )
                behind.append((entry, text))
                continue
            newest = max(newest, timestamp)
            accepted.append(entry)
        return accepted, behind

    def _insert(self, state: StreamState, entries: Sequence[Entry]) -> int:
        """Write *entries*; return how many were there already."""
        rows = _in_order(state, entries)
        duplicates = 0
        if rows is None:
            rows = self._new_rows(state, entries)
            duplicates = len(entries) - len(rows)
        self._connection.executemany(_INSERT, rows)
        return duplicates

    def _new_rows(self, state: StreamState, entries: Sequence[Entry]) -> list[_Row]:
        """Return the rows of *entries* whose line is not yet there at its time."""
        seen: dict[int, set[bytes]] = {}
        rows: list[_Row] = []
        for timestamp, line, metadata in entries:
            lines = seen.get(timestamp)
            if lines is None:
                lines = seen[timestamp] = self._lines_at(state, timestamp)
            if line not in lines:
                rows.append((state.id, timestamp, len(lines), line, _packed(metadata)))
                lines.add(line)
        return rows

    def _lines_at(self, state: StreamState, timestamp: int) -> set[bytes]:
        if timestamp > state.newest_ns:
            return set()
        rows = self._connection.execute(
            "SELECT line FROM entries WHERE stream = ? AND ts = ?",
            (state.id, timestamp),
        )
        return {row[0] for row in rows}


_Row = tuple[int, int, int, bytes, str | None]


def _in_order(state: StreamState, entries: Sequence[Entry]) -> list[_Row] | None:
    """Return the rows of entries that are all new and in order of time, else None.

    The usual case: nothing has to be looked up.
    """
    id_, newest = state.id, state.newest_ns
    rows: list[_Row] = []
    for timestamp, line, metadata in entries:
        if timestamp <= newest:
            return None
        newest = timestamp
        rows.append((id_, timestamp, 0, line, _packed(metadata) if metadata else None))
    return rows


@lru_cache(maxsize=64)  # mostly the level alone
def _packed(metadata: Metadata) -> str | None:
    return json.dumps(dict(metadata), ensure_ascii=False) if metadata else None


def _ignored(
    failed: Sequence[tuple[Entry, str]], count: int, tenant: str, stream: Stream
) -> str:
    """Return Loki's text for entries it did not take (errorForFailedEntries)."""
    lines = [
        f"entry with timestamp {go_time(entry.timestamp_ns)} ignored, "
        f"reason: '{text}',\n"
        for entry, text in failed[:_MAX_RETURNED_ERRORS]
    ]
    total = len(stream.entries)
    return (
        f"{''.join(lines)}user '{tenant}', total ignored: {count} out of {total} "
        f"for stream: {stream.text}"
    )
