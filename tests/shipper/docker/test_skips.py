from __future__ import annotations

import pytest

from shipper.docker.frames import STDERR, STDOUT, Line
from shipper.docker.progress import SECOND_NS, Progress
from shipper.docker.remembered import REMEMBERED_LINES
from shipper.docker.skips import WEAK_SIGNS_REST, SkipWatch
from shipper.pipeline.entry import Entry


MS = SECOND_NS // 1000
OPENED = 1000 * SECOND_NS
ROTATE = 100_000
BOTH = {STDOUT, STDERR}


class Follower:
    """What a tailer does with a `SkipWatch`, without the files."""

    def __init__(self) -> None:
        self.now = 50.0
        self.progress = Progress()
        self.watch = SkipWatch(ROTATE, OPENED, lambda: self.now)

    def read(self, *lines: Line, after: float = 0.0, size: int | None = None) -> int:
        """Take *lines*; return how many were in doubt."""
        self.now += after
        read = list(lines)
        self.watch.arrived(40 * len(read) if size is None else size, read)
        start = doubts = 0
        while start < len(read):
            turn = self.watch.next_turn(read, start, self.progress, BOTH)
            self.accept(read[start:turn])
            if turn < len(read):
                first = turn == 0
                doubts += self.watch.doubtful(read[turn], self.progress, first=first)
            self.accept(read[turn : turn + 1])
            start = turn + 1
        return doubts

    def accept(self, lines: list[Line]) -> None:
        for stream, entry in lines:
            self.progress.accept(self.progress.stream(stream), entry)

    def write(self, milliseconds: int, *, at: int = 0) -> int:
        """Read a megabyte a second for some time, promptly; return the doubts."""
        doubts = 0
        for number in range(at, at + milliseconds):
            # 930 + 40 + 32: with what the file has beside it, 1,000 bytes.
            doubts += self.read(line(number), after=0.001, size=968)
        return doubts


def line(ms: int, stream: int = STDOUT, text: bytes = b"x") -> Line:
    return stream, Entry(OPENED + MS + ms * MS, text)


@pytest.fixture
def follower() -> Follower:
    return Follower()


def test_a_steady_log_is_not_in_doubt(follower: Follower) -> None:
    assert follower.write(1000) == 0


@pytest.mark.parametrize(("pause", "doubts"), [(20, 0), (45, 0), (60, 1), (100, 1)])
def test_a_pause_that_a_file_fits_in_is_in_doubt(
    follower: Follower, pause: int, doubts: int
) -> None:
    follower.write(500)
    assert follower.read(line(500 + pause), after=pause / 1000) == doubts


@pytest.mark.parametrize(("waited", "doubts"), [(0.03, 0), (0.021, 0), (0.019, 1)])
def test_lines_that_come_together_are_in_doubt(
    follower: Follower, waited: float, doubts: int
) -> None:
    follower.write(500)
    assert follower.read(line(540), after=waited) == doubts


def test_lines_of_one_read_come_together(follower: Follower) -> None:
    follower.write(500)
    assert follower.read(line(500), line(540), after=10.0) == 1


def test_a_pause_no_file_can_be_written_in_is_none(follower: Follower) -> None:
    assert follower.read(line(0), line(2)) == 0
    assert follower.read(line(3), line(7)) == 1


def test_weak_signs_rest_after_a_reading(follower: Follower) -> None:
    follower.write(500)
    follower.watch.verified(0.1)
    assert follower.read(line(540)) == 0
    assert follower.read(line(640)) == 1, "a likely one does not rest"
    follower.now += WEAK_SIGNS_REST * 0.1
    assert follower.read(line(641), line(671)) == 1


def test_what_was_written_before_comes_from_the_files() -> None:
    follower = Follower()
    late = SkipWatch(ROTATE, OPENED + 10 * SECOND_NS, lambda: follower.now)
    follower.watch = late
    assert follower.read(line(0), line(1000), line(9000)) == 0
    assert follower.read(line(11_000)) == 1


def test_a_short_repetition_is_recognised_not_doubted(follower: Follower) -> None:
    follower.write(1000)
    assert follower.read(*(line(ms) for ms in range(500, 1000))) == 0


def test_a_long_repetition_is_in_doubt_once(follower: Follower) -> None:
    count = 3 * REMEMBERED_LINES
    follower.write(count)
    assert follower.read(*(line(ms) for ms in range(count))) == 1


def test_a_clock_set_back_is_in_doubt_once(follower: Follower) -> None:
    count = 3 * REMEMBERED_LINES
    follower.write(count)
    assert follower.read(*(line(ms, text=b"new") for ms in range(200))) == 1
    assert follower.write(500, at=200) == 0


def test_streams_may_interleave_backwards(follower: Follower) -> None:
    lines = [line(ms, STDERR if ms % 3 else STDOUT) for ms in range(600)]
    for at in range(0, 600, 2):
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
        if lines[at][0] == lines[at + 1][0]:
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
    assert sum(follower.read(item, after=0.001, size=968) for item in lines) == 0


def test_unwanted_streams_are_not_looked_at(follower: Follower) -> None:
    lines = [line(ms, STDERR) for ms in range(0, 9000, 1000)]
    assert follower.watch.next_turn(lines, 0, follower.progress, {STDOUT}) == 9


def test_silence_is_looked_at_after_a_quarter_of_a_file(follower: Follower) -> None:
    assert follower.watch.calm_seconds is None
    follower.write(24)
    assert follower.watch.calm_seconds is None
    follower.write(2, at=24)
    assert follower.watch.calm_seconds == pytest.approx(1.0)
    follower.watch.verified(0.1)
    assert follower.watch.calm_seconds is None


@pytest.mark.parametrize(
    ("behind_ms", "pressed"), [(0, False), (20, False), (30, True), (10_000, True)]
)
def test_reading_is_late_by_what_is_written_meanwhile(
    follower: Follower, behind_ms: int, *, pressed: bool
) -> None:
    follower.write(1000)  # a megabyte a second, files of 100 kB
    assert follower.watch.pressed(behind_ms * MS) is pressed


def test_who_writes_little_presses_nobody(follower: Follower) -> None:
    for number in range(100):
        follower.read(line(1000 * number), after=1.0, size=100)
    assert not follower.watch.pressed(3600 * 1000 * MS)
