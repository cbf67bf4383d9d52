"""The stages of one job, as a sink in front of the sink (promtail stages/pipeline.go).

A record runs through all stages in one go, without waiting, so lines keep their order.
What stages hold back is released by `Pipeline.run` when it is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from math import inf

from .entry import BoundedSink, Cursor, Entry, Labels, Streams
from .labelset import LabelSet
from .record import Record
from .relay import Counting, Placing, Relay
from .stage import Emit, Stage, StageConfig, Workshop


NamedConfig = tuple[str, StageConfig]
"""A stage's name, as in promtail.yaml, and its keys."""


def assemble(configs: Iterable[NamedConfig], workshop: Workshop) -> list[Stage]:
    """Return the stages that *configs* describe, in order."""
    return [workshop.finish(name, config.build(workshop)) for name, config in configs]


def chain(stages: Sequence[Stage], emit: Emit) -> Emit:
    """Return what takes a record through *stages* to *emit*.

    As each pipeline of promtail, also a nested one, it begins by extracting the labels.
    """
    step = emit
    for stage in reversed(stages):
        step = stage.wrap(step)

    def begin(record: Record) -> None:
        record.extracted.update(record.labels.values)  # as `Record.seed`
        step(record)

    return begin


class Pipeline:
    """Implements `BoundedSink`. `run` it as a task; `flush` it when nobody puts.

    Several tasks may put, each for cursors of its own.
    """

    def __init__(
        self, configs: Iterable[NamedConfig], workshop: Workshop, sink: BoundedSink
    ) -> None:
        self.sure = False  # what stages make of a line may be larger, or late
        self._sink = sink
        self._relays: dict[int, Relay] = {}  # by id(): a cursor needs no hash
        self._reached: dict[int, Relay] | None = None
        stages = assemble(configs, workshop)
        self._holders = workshop.holders
        self._process = chain(stages, self._emit if self._holders else _leave)
        self._monotonic = workshop.monotonic
        self._next_release = inf
        self._sooner = asyncio.Event()
        self._left: list[Relay] = []

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        """Take *entry*; wait until what the stages make of it now has been put.

        When this is cancelled the entry was taken all the same.
        """
        await self.put_all(((labels, (entry,)),), cursor)

    async def put_all(self, streams: Streams, cursor: Cursor) -> None:
        """Take all entries of *streams*, as `put` takes each."""
        relay = self._relays.get(id(cursor)) or self._relay(cursor)
        # A joined line may be that of the file before: of another relay.
        reached = self._reached = {id(relay): relay}
        with relay.taking():
            for labels, entries in streams:
                self._run_through(relay.labels_of(labels), entries, relay)
        self._reached = None
        if self._holders and self._due_at() < self._next_release:
            self._sooner.set()
        try:
            for each in reached.values():
                await each.put(self._sink)
        except asyncio.CancelledError:
            if left := [each for each in reached.values() if each.outbox]:
                self._left += left  # it was taken: `run` brings it to the sink
                self._sooner.set()
            raise

    def _run_through(
        self, labels: LabelSet, entries: Sequence[Entry], relay: Relay
    ) -> None:
        process, take = self._process, relay.take
        for timestamp_ns, line, metadata in entries:
            text = line.decode("utf-8", "surrogateescape")
            process(Record(labels, timestamp_ns, text, relay, metadata, take(), line))

    def admits(self, entries: Sequence[Entry], cursor: Cursor) -> bool:
        """Say whether there seems to be room for *entries* now."""
        relay = self._relays.get(id(cursor))
        if relay is None:
            return self._sink.admits(entries, cursor)
        return not relay.outbox and self._sink.admits(entries, relay)

    async def room(self) -> None:
        """Wait until there is more room in the sink."""
        await self._sink.room()

    async def run(self) -> None:
        """Release what stages held back for long enough, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._next_release = self._due_at()
                self._sooner.clear()
                with suppress(TimeoutError):
                    seconds = self._next_release - self._monotonic()
                    async with asyncio.timeout(None if seconds == inf else seconds):
                        await self._sooner.wait()
                left, self._left = self._left, []
                for relay in [*left, *self._release(self._monotonic())]:
                    # A stream that is held up must not hold up the others.
                    tasks.create_task(relay.put(self._sink))

    async def flush(self) -> None:
        """Put everything that stages hold back."""
        self._release(None)
        relays = list(self._relays.values())
        await asyncio.gather(*(relay.put(self._sink) for relay in relays))

    def left_over(self) -> Iterator[tuple[Labels, Entry]]:
        """Yield what `flush` could not put and nobody will give again."""
        for relay in self._relays.values():
            yield from relay.left_over()

    def _release(self, now: float | None) -> list[Relay]:
        reached = self._reached = {}
        for holder in self._holders:
            holder.release(now)
        self._reached = None
        return list(reached.values())

    def _due_at(self) -> float:
        due = [holder.deadline() for holder in self._holders]
        return min((at for at in due if at is not None), default=inf)

    def _relay(self, cursor: Cursor) -> Relay:
        relay = self._relays.get(id(cursor))
        if relay is None:
            key = id(cursor)
            kind = Placing if self._holders else Counting
            relay = kind(cursor, lambda: self._relays.pop(key, None))
            self._relays[key] = relay
        return relay

    def _emit(self, record: Record) -> None:
        relay = _leave(record)
        if self._reached is not None:
            self._reached[id(relay)] = relay


def _leave(record: Record) -> Relay:
    """Let *record* leave by the relay it came by, which is returned."""
    relay = record.origin
    assert isinstance(relay, Relay), "it is made here"
    if record.delay_seconds:
        relay.append(record)
    else:
        relay.outbox.append(record)  # 0.1 µs less
    return relay
