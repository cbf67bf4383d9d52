from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given, strategies as st

from shipper.docker.engine import Engine
from shipper.docker.frames import STDERR, STDOUT, Line
from shipper.docker.lookback import unread
from shipper.docker.progress import Mark, Progress
from shipper.docker.tailer import Discovered, Outcome, Settings, Tailer
from shipper.pipeline.entry import Entry

from .conftest import BASE_NS, ID, FakeDocker, MemorySink, log_frame, whole


S = 1_000_000_000


def line(at: int, text: str, stream: int = STDOUT) -> Line:
    return stream, Entry(at, text.encode())


def mark(at: int, *texts: str) -> Mark:
    return Mark(at, tuple(crc32(text.encode()) for text in texts), at)


LOG = [line(5, "a"), line(6, "b"), line(2, "c"), line(3, "d", STDERR), line(6, "e")]


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        ({}, ""),
        ({STDOUT: mark(5, "a")}, "bcde"),
        ({STDOUT: mark(6, "b")}, "cde"),
        ({STDOUT: mark(6, "b", "e")}, ""),
        ({STDOUT: mark(2, "c")}, "de"),
        ({STDOUT: mark(5, "a"), STDERR: mark(3, "d")}, "bce"),
        ({STDOUT: mark(6, "x")}, ""),  # it is not there: nothing can be told
        ({STDOUT: mark(5, "a"), STDERR: mark(1, "gone")}, ""),
    ],
)
def test_what_lies_behind_the_place(read: dict[int, Mark], texts: str) -> None:
    assert "".join(e.line.decode() for _, e in unread(LOG, read)) == texts


@given(st.lists(st.tuples(st.integers(0, 9), st.text(max_size=2))), st.data())
def test_whatever_the_clock_does(
    written: list[tuple[int, str]], data: st.DataObject
) -> None:
    log = [line(at, f"{number} {text}") for number, (at, text) in enumerate(written)]
    place = data.draw(st.integers(0, len(log)))
    if place:
        _, entry = log[place - 1]
        read = {STDOUT: mark(entry.timestamp_ns, entry.line.decode())}
        assert unread(log, read) == log[place:]


@pytest.mark.parametrize("jump", [-90, 90])
async def test_the_clock_is_set_back_while_nobody_reads(
    fake: FakeDocker, engine: Engine, settings: Settings, sink: MemorySink, jump: int
) -> None:
    """Of what was printed meanwhile `since` finds nothing, until the clock is past."""

    async def describe() -> Discovered | None:
        return {"__meta_docker_container_name": "/web"}

    def printed(numbers: range, jump: int = 0) -> list[bytes]:
        return [log_frame(1, (1000 + at + jump) * S, b"line %d" % at) for at in numbers]

    frames, later = printed(range(5)), printed(range(8, 11))
    jumped = printed(range(5, 8), jump)
    progress, sent = Progress(), []
    for logs in ([whole(*frames)], [whole(*later)]):
        fake.logs = logs
        tailer = Tailer(
            ID, engine, progress, describe, settings, now_ns=lambda: BASE_NS + 2000 * S
        )
        assert await tailer.run() is Outcome.ENDED
        progress = Progress(progress.position)
        fake.end = (*frames[2:], *jumped, *later)
        sent = sink.lines
    expected = [*range(5), *([] if jump > 0 else range(5, 8)), *range(8, 11)]
    assert sent == [b"line %d" % at for at in expected]


async def test_a_place_beyond_the_end_is_looked_for_everywhere(
    fake: FakeDocker, engine: Engine, settings: Settings, sink: MemorySink
) -> None:
    """More was printed with old times than is looked at."""

    async def describe() -> Discovered | None:
        return {"__meta_docker_container_name": "/web"}

    frames = [log_frame(1, (500 + at) * S, b"line %d" % at) for at in range(5)]
    back = [log_frame(1, (400 + at) * S, b"back %d" % at) for at in range(9)]
    progress = Progress()
    for logs in ([whole(*frames)], [whole(*frames, *back)]):
        fake.logs = logs
        tailer = Tailer(
            ID, engine, progress, describe, settings, now_ns=lambda: BASE_NS + 2000 * S
        )
        assert await tailer.run() is Outcome.ENDED
        progress = Progress(progress.position)
        fake.end = tuple(back[4:])
    assert fake.log_requests()[1]["since"] == "0.000000000"
    assert sink.lines[5:] == [b"back %d" % at for at in range(9)]


async def test_a_place_in_the_future_is_looked_for_everywhere(
    fake: FakeDocker, engine: Engine, settings: Settings, sink: MemorySink
) -> None:
    async def describe() -> Discovered | None:
        return {"__meta_docker_container_name": "/web"}

    frames = [log_frame(1, at * S, b"line %d" % at) for at in range(50, 55)]
    back = [log_frame(1, at * S, b"back %d" % at) for at in range(5)]
    progress = Progress()
    for logs in ([whole(*frames)], [whole(*frames, *back)]):
        fake.logs = logs
        tailer = Tailer(
            ID, engine, progress, describe, settings, now_ns=lambda: BASE_NS + 10 * S
        )
        assert await tailer.run() is Outcome.ENDED
        progress = Progress(progress.position)
    assert fake.log_requests()[1]["since"] == "0.000000000"
    assert sink.lines[5:] == [b"back %d" % at for at in range(5)]
