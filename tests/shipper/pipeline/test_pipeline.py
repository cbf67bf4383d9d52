"""Every line is accounted for, once and in reading order, whatever stages do to it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, strategies as st

from shipper.pipeline.entry import Cursor, Entry, Labels, Untracked
from shipper.pipeline.labelset import LabelSet
from shipper.pipeline.pipeline import Pipeline
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Emit, Filter, Stage, StageConfig, Workshop
from tests.shipper.pipeline.conftest import Clock, Journal, Memory


LABELS = (("job", "test"),)


@dataclass
class Act(Filter):
    """A stage that calls a function."""

    act: Callable[[Record], bool]

    def build(self, _: Workshop) -> Stage:
        return self

    def apply(self, record: Record) -> bool:
        return self.act(record)


@dataclass
class Pairs:
    """Joins two lines of a stream; holds the first for a second."""

    held: dict[tuple[int, LabelSet], tuple[float, Record]] = field(default_factory=dict)

    def build(self, workshop: Workshop) -> Stage:
        self.monotonic = workshop.monotonic
        workshop.holders.append(self)
        return self

    def wrap(self, emit: Emit) -> Emit:
        self.emit = emit

        def step(record: Record) -> None:
            if record.stream not in self.held:
                self.held[record.stream] = (self.monotonic() + 1, record)
                return
            _, first = self.held.pop(record.stream)
            first.absorb(record)
            first.line += record.line
            emit(first)

        return step

    def deadline(self) -> float | None:
        return min((at for at, _ in self.held.values()), default=None)

    def release(self, now: float | None) -> None:
        for key, (at, record) in list(self.held.items()):
            if now is None or at <= now:
                del self.held[key]
                self.emit(record)


def line(text: str, timestamp_ns: int = 1) -> Entry:
    return Entry(timestamp_ns, text.encode())


def labels_after(name: str) -> Act:
    def act(record: Record) -> bool:
        record.labels = record.labels.having({name: record.line})
        return True

    return Act(act)


def dropping(*lines: str) -> Act:
    return Act(lambda record: record.line not in lines)


@asynccontextmanager
async def running(pipeline: Pipeline) -> AsyncIterator[None]:
    task = asyncio.create_task(pipeline.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_changes_reach_the_sink() -> None:
    sink = Memory()
    pipeline = Pipeline([("x", labels_after("copy"))], Workshop(), sink)
    entry = Entry(5, b"caf\xc3\xa9 \xff", (("a", "b"),))
    await pipeline.put(LABELS, entry, Journal())
    [(labels, put)] = sink.entries
    assert dict(labels) == {"job": "test", "copy": "café \udcff"}
    assert put == entry, "bytes that are no text survive"


async def test_a_dropped_line_waits_for_those_before_it() -> None:
    sink, cursor = Memory(), Journal()
    pipeline = Pipeline([("x", dropping("b", "d"))], Workshop(), sink)
    for text in "abcd":
        await pipeline.put(LABELS, line(text), cursor)
    assert (sink.lines, cursor.acknowledged) == (["a", "c"], 0)
    sink.settle(1)
    assert cursor.acknowledged == 2
    sink.settle()
    assert cursor.acknowledged == 4


async def test_a_joined_line_stands_for_all_its_parts() -> None:
    sink, cursor = Memory(), Journal()
    pipeline = Pipeline([("x", Pairs())], Workshop(), sink)
    for text in "abc":
        await pipeline.put(LABELS, line(text), cursor)
    assert sink.lines == ["ab"]
    sink.settle()
    assert cursor.acknowledged == 2
    await pipeline.flush()
    sink.settle()
    assert (sink.lines, cursor.acknowledged) == (["ab", "c"], 3)


async def test_what_is_held_back_holds_the_position_not_the_lines() -> None:
    sink, cursor = Memory(), Journal()
    pipeline = Pipeline([("x", Pairs())], Workshop(), sink)
    other = (("job", "other"),)
    await pipeline.put(LABELS, line("a"), cursor)
    for text in "xy":
        await pipeline.put(other, line(text), cursor)
    sink.settle()
    assert (sink.lines, cursor.acknowledged) == (["xy"], 0)
    await pipeline.flush()
    sink.settle()
    assert cursor.acknowledged == 3


async def test_streams_of_two_sources_do_not_mix() -> None:
    sink, one, two = Memory(), Journal(), Journal()
    pipeline = Pipeline([("x", Pairs())], Workshop(), sink)
    await pipeline.put(LABELS, line("a"), one)
    await pipeline.put(LABELS, line("b"), two)
    await pipeline.flush()
    assert sorted(sink.lines) == ["a", "b"]


@dataclass
class File(Journal):
    """The cursor of one of the files that a rotation makes of a path."""

    stream_key: int = 7


@pytest.mark.parametrize(
    "stages",
    [[("x", Pairs())], [("x", Pairs()), ("y", dropping())]],
    ids=["as it is", "with more behind"],
)
async def test_a_line_may_begin_in_one_file_and_end_in_the_next(
    stages: list[tuple[str, StageConfig]],
) -> None:
    sink, before, after = Memory(), File(), File()
    pipeline = Pipeline(stages, Workshop(), sink)
    await pipeline.put(LABELS, line("a"), before)
    await pipeline.put(LABELS, line("b"), after)
    assert (sink.lines, before.acknowledged, after.acknowledged) == (["ab"], 0, 0)
    sink.settle()
    assert (before.acknowledged, after.acknowledged) == (1, 1)


async def test_a_line_that_begins_in_one_file_and_is_dropped_in_the_next() -> None:
    sink, before, after = Memory(), File(), File()
    pipeline = Pipeline([("x", Pairs()), ("y", dropping("ab"))], Workshop(), sink)
    await pipeline.put(LABELS, line("a"), before)
    await pipeline.put(LABELS, line("b"), after)
    assert (sink.lines, before.acknowledged, after.acknowledged) == ([], 1, 1)


async def test_releases_when_it_is_due() -> None:
    sink, clock, cursor = Memory(), Clock(), Journal()
    arrived = asyncio.Event()

    class Telling(Memory):
        async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
            await sink.put(labels, entry, cursor)
            arrived.set()

    workshop = Workshop(monotonic=asyncio.get_running_loop().time)
    pipeline = Pipeline([("x", Pairs())], workshop, Telling())
    async with running(pipeline), asyncio.timeout(10):
        await pipeline.put(LABELS, line("a"), cursor)
        await arrived.wait()
    assert sink.lines == ["a"]
    assert clock.ns


async def test_what_was_released_goes_before_what_comes_after() -> None:
    """A release that waits for room must not be overtaken."""
    order: list[str] = []
    room = asyncio.Event()

    class Full(Memory):
        async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
            await room.wait()
            order.append(entry.line.decode())

    clock = Clock()
    workshop = Workshop(monotonic=clock.monotonic)
    pipeline = Pipeline([("x", Pairs()), ("y", dropping())], workshop, Full())
    cursor = Journal()
    await pipeline.put(LABELS, line("a"), cursor)
    async with running(pipeline), asyncio.timeout(10):
        flush = asyncio.create_task(pipeline.flush())
        await asyncio.sleep(0)
        later = [
            asyncio.create_task(pipeline.put(LABELS, line(text), cursor))
            for text in "bc"
        ]
        await asyncio.sleep(0)
        room.set()
        await asyncio.gather(flush, *later)
    assert order == ["a", "bc"]


async def test_what_nobody_gives_again_is_left_over() -> None:
    class Full(Memory):
        async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
            await asyncio.Event().wait()

    pipeline = Pipeline([("x", dropping())], Workshop(), Full())
    cursors: list[Cursor] = [Untracked(), Journal()]
    puts = [
        asyncio.create_task(pipeline.put(LABELS, line(text), cursor))
        for text, cursor in zip("ab", cursors, strict=True)
    ]
    await asyncio.sleep(0)
    for put in puts:
        put.cancel()
    await asyncio.gather(*puts, return_exceptions=True)
    assert [entry.line for _, entry in pipeline.left_over()] == [b"a"]


async def test_a_cancelled_put_is_brought_to_the_sink_by_run() -> None:
    room, arrived = asyncio.Event(), asyncio.Event()

    class Full(Memory):
        async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
            await room.wait()
            cursor.acknowledge([entry])
            arrived.set()

    cursor = Journal()
    pipeline = Pipeline([("x", dropping())], Workshop(), Full())
    async with running(pipeline), asyncio.timeout(10):
        put = asyncio.create_task(pipeline.put(LABELS, line("a"), cursor))
        await asyncio.sleep(0)
        put.cancel()
        await asyncio.gather(put, return_exceptions=True)
        room.set()
        await arrived.wait()
    assert cursor.acknowledged == 1


async def test_a_cancelled_put_is_taken_up_by_the_next() -> None:
    taken: list[str] = []
    room = asyncio.Event()

    class Full(Memory):
        async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
            await room.wait()
            taken.append(entry.line.decode())
            cursor.acknowledge([entry])

    cursor = Journal()
    pipeline = Pipeline([("x", dropping())], Workshop(), Full())
    put = asyncio.create_task(pipeline.put(LABELS, line("a"), cursor))
    await asyncio.sleep(0)
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    assert cursor.acknowledged == 0
    room.set()
    await pipeline.put(LABELS, line("b"), cursor)
    assert (taken, cursor.acknowledged) == (["a", "b"], 2)


async def test_forgets_sources_that_are_done() -> None:
    sink = Memory()
    pipeline = Pipeline([("x", dropping("b"))], Workshop(), sink)
    for text in "abab":
        await pipeline.put(LABELS, line(text), Journal())
    sink.settle()
    assert not pipeline._relays


@given(
    st.lists(st.tuples(st.sampled_from("kdp"), st.integers(0, 2)), max_size=40),
    st.randoms(use_true_random=False),
)
def test_every_line_is_acknowledged_once_and_in_order(
    plan: list[tuple[str, int]], chance: random.Random
) -> None:
    """Keep, drop and pair up lines of three streams, settle at any moment."""

    async def run() -> None:
        sink, cursor = Memory(), Journal()
        pairs = Pairs()

        def act(record: Record) -> bool:
            return not record.line.startswith("d")

        pipeline = Pipeline([("d", Act(act)), ("p", pairs)], Workshop(), sink)
        for number, (kind, stream) in enumerate(plan):
            labels = (("s", str(stream)),)
            await pipeline.put(labels, line(f"{kind}{number};"), cursor)
            if chance.random() < 0.5:
                sink.settle(chance.randrange(3))
            assert cursor.acknowledged <= number + 1
        await pipeline.flush()
        sink.settle()
        assert cursor.acknowledged == len(plan)
        sent = sorted(part for text in sink.lines for part in text.split(";") if part)
        kept = [f"{kind}{n}" for n, (kind, _) in enumerate(plan) if kind != "d"]
        assert sent == sorted(kept)

    asyncio.run(run())


@given(st.lists(st.sampled_from("kds"), max_size=60))
async def test_each_line_is_acknowledged_in_its_turn(steps: list[str]) -> None:
    """k: a line that is kept, d: one that is dropped, s: the sink settles one."""
    sink, cursor = Memory(), Journal()
    pipeline = Pipeline([("x", dropping("d"))], Workshop(), sink)
    lines: list[str] = []
    settled = 0
    for step in steps:
        if step != "s":
            lines.append(step)
            await pipeline.put(LABELS, line(step), cursor)
        elif settled < lines.count("k"):
            settled += 1
            sink.settle(1)
        assert cursor.acknowledged == _first_open(lines, settled)


def _first_open(lines: list[str], settled: int) -> int:
    """Return how many of *lines* are decided, up to the first that is not."""
    kept = 0
    for number, each in enumerate(lines):
        kept += each == "k"
        if kept > settled:
            return number
    return len(lines)
