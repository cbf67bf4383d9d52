"""Live tails: what is stored goes to those who asked, and never waits for them.

Counterpart of pkg/ingester/tailer.go and pkg/querier/tail.go (3.4): a queue of bounded
length per client; what does not fit is dropped and told as ``dropped_entries``; a
client that stays blocked is let go.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from shipper.logql import LogQuery
from shipper.logql.pipeline import StreamPipeline, reordered
from shipper.loki.encode import format_labels
from shipper.pipeline.entry import Labels
from shipper.store.model import Stream
from shipper.store.query.found import FoundLine, FoundStream, found_line
from shipper.store.query.render import stream_value
from shipper.wire.errors import Answer
from shipper.wire.model import SECOND_NS


QUEUE_STREAMS: Final = 100  # bufferSizeForTailStream
MAX_DROPPED: Final = 1000  # maxDroppedEntriesPerTailResponse
ENTRIES_PER_MESSAGE: Final = 100  # maxEntriesPerTailResponse
BLOCKED_NS: Final = 15 * SECOND_NS


class Tail:
    """One client's queue; *clock* returns nanoseconds."""

    def __init__(
        self, query: LogQuery, clock: Callable[[], int], *, categorize: bool = False
    ) -> None:
        self.closed = False
        self._query = query
        self._stages = reordered(query.stages)
        self._categorize = categorize
        self._clock = clock
        self._queue: deque[FoundStream] = deque()
        self._dropped: list[dict[str, Any]] = []
        self._blocked_since: int | None = None
        self._woken = asyncio.Event()
        self._skipped: frozenset[tuple[str, int, bytes]] = frozenset()

    def skip(self, already: Iterable[tuple[str, int, bytes]]) -> None:
        """Leave out lines (labels, time, text) that the client has from the past."""
        self._skipped = frozenset(already)

    def offer(self, streams: Sequence[Stream]) -> None:
        """Queue what the client asked for of *streams*; what has no room is dropped."""
        for stream in streams:
            for selected in self._selected(stream):
                if len(self._queue) < QUEUE_STREAMS:
                    self._queue.append(selected)
                else:
                    self._drop(selected)
        if self._queue:
            self._woken.set()

    def close(self) -> None:
        """End the tail: `message` returns None once it is called."""
        self.closed = True
        self._woken.set()

    async def message(self) -> dict[str, Any] | None:
        """Return the next message for the client, None when the tail is over."""
        while not self._queue and not self.closed:
            self._woken.clear()
            await self._woken.wait()
        if self.closed:
            return None
        new = (self._unseen(stream) for stream in self._taken())
        found = [stream_value(s, categorize=self._categorize) for s in new if s.entries]
        value: dict[str, Any] = {"streams": found}
        if self._dropped:
            value["dropped_entries"], self._dropped = self._dropped, []
        self._blocked_since = None
        return value

    def _unseen(self, stream: FoundStream) -> FoundStream:
        if not self._skipped:
            return stream
        text, skipped = stream.text, self._skipped
        new = [
            e for e in stream.entries if (text, e.timestamp_ns, e.line) not in skipped
        ]
        return stream._replace(entries=new)

    def _taken(self) -> list[FoundStream]:
        taken: list[FoundStream] = []
        entries = 0
        while self._queue and entries < ENTRIES_PER_MESSAGE:
            stream = self._queue.popleft()
            room = ENTRIES_PER_MESSAGE - entries
            if len(stream.entries) > room:
                self._queue.appendleft(stream._replace(entries=stream.entries[room:]))
                stream = stream._replace(entries=stream.entries[:room])
            entries += len(stream.entries)
            taken.append(stream)
        return taken

    def _selected(self, stream: Stream) -> list[FoundStream]:
        labels = dict(stream.labels)
        if not self._query.selector.matches(labels):
            return []
        process = StreamPipeline(self._stages, labels).process
        found: dict[Labels, list[FoundLine]] = {}
        for entry in stream.entries:
            line = process(entry.timestamp_ns, entry.line, entry.metadata)
            if line is not None:
                key, shown = found_line(line, categorize=self._categorize)
                found.setdefault(key, []).append(shown)
        return [FoundStream(key, format_labels(key), e) for key, e in found.items()]

    def _drop(self, stream: FoundStream) -> None:
        now = self._clock()
        if self._blocked_since is None:
            self._blocked_since = now
        elif now - self._blocked_since > BLOCKED_NS:
            self.close()
            return
        if len(self._dropped) >= MAX_DROPPED:
            self._dropped.clear()
        first = str(stream.entries[0].timestamp_ns)
        self._dropped.append({"timestamp": first, "labels": dict(stream.labels)})


class Tails:
    """All tails, by tenant; at most *most* for each."""

    def __init__(self, most: int, clock: Callable[[], int]) -> None:
        self._most = most
        self._clock = clock
        self._tails: dict[str, set[Tail]] = {}

    def open(self, tenant: str, query: LogQuery, *, categorize: bool = False) -> Tail:
        """Return a new tail of *tenant*. Raises Answer 400 when there are too many."""
        tails = self._tails.setdefault(tenant, set())
        if self._most and len(tails) >= self._most:
            raise Answer(
                400,
                "max concurrent tail requests limit exceeded, count > limit "
                f"({len(tails) + 1} > {self._most})",
            )
        tail = Tail(query, self._clock, categorize=categorize)
        tails.add(tail)
        return tail

    def leave(self, tenant: str, tail: Tail) -> None:
        """Forget *tail*."""
        tails = self._tails.get(tenant, set())
        tails.discard(tail)
        if not tails:
            self._tails.pop(tenant, None)

    def publish(self, tenant: str, streams: Sequence[Stream]) -> None:
        """Offer *streams*, just stored, to the tails of *tenant*."""
        for tail in self._tails.get(tenant, ()):
            tail.offer(streams)

    def close(self) -> None:
        """End every tail."""
        for tails in self._tails.values():
            for tail in tails:
                tail.close()
