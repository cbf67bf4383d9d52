"""Notice where dockerd's follower may have left lines out, or gives a file again.

dockerd follows a log by name. When it comes late to a rotation (it was not scheduled,
or its reader did not read), it goes on with the newest file and leaves out those
between; 20.10 also reads a new file twice when it was shorter than the one before
(moby daemon/logger/loggerutils/follow.go; since 23.0 dockerd warns in its own log of
``missed-rotations``). Nothing in the answer tells. A reading without ``follow`` opens
all files at once and has every line that is left: whoever is in doubt asks for that.

What is left out is at least a file, and a file takes time to be written: lines are in
doubt behind a pause that is long enough for one. Containers whose log does not rotate
are never in doubt.

Pure: no I/O, the clock is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Sequence

from shipper.docker.frames import STDERR, STDOUT, Line
from shipper.docker.progress import SECOND_NS, Progress


FASTEST_BYTES_PER_SECOND = 32 * 1024 * 1024
"""No container's log grows faster: a tenth of that is what dockerd 20.10 writes."""

CALM_SECONDS = 1.0
"""Silence after which a large part of a file is looked at for what is missing."""

_HEAD_BYTES = 32
"""By how much a line is longer in a file of ``json-file`` than in a frame."""

LIKELY = 0.5
"""The part of a file that would have been written in a pause to call it no pause."""

PRESSED = 0.25
"""The part of a file by which reading is late when it has to hurry."""

PRESSED_SECONDS = 60.0
"""Who needs longer for a file presses nobody."""

WEAK_SIGNS_REST = 10
"""For how many times as long as the files were read weak signs are not followed."""

RATE_WINDOW_SECONDS = 0.1
RATE_WINDOWS = 64


class Rates:
    """How fast a container wrote at most, of late and by its own clock."""

    def __init__(self) -> None:
        self._begin_ns = self._last_ns = 0
        self._bytes = self._lines = 0
        self._windows: deque[tuple[float, float]] = deque(maxlen=RATE_WINDOWS)

    def add(self, timestamp_ns: int, size: int, lines: int) -> None:
        """Count what was written up to *timestamp_ns*, unless it comes again."""
        if timestamp_ns <= self._last_ns:
            return
        self._begin_ns = self._begin_ns or timestamp_ns
        self._last_ns = timestamp_ns
        self._bytes += size
        self._lines += lines
        seconds = (timestamp_ns - self._begin_ns) / SECOND_NS
        if seconds >= RATE_WINDOW_SECONDS:
            self._windows.append((self._bytes / seconds, self._lines / seconds))
            self._begin_ns, self._bytes, self._lines = timestamp_ns, 0, 0

    @property
    def bytes_per_second(self) -> float:
        """Bytes of the fastest window, 0 before there is one."""
        return max((window[0] for window in self._windows), default=0.0)

    @property
    def lines_per_second(self) -> float:
        """Lines of the fastest window, 0 before there is one."""
        return max((window[1] for window in self._windows), default=0.0)


class SkipWatch:
    """Looks at the lines of one connection, read by read.

    *rotate_bytes* is what `file_bytes` says, *opened_ns* when the log was asked for:
    what was written before comes out of the files and is complete. *clock* gives
    seconds that go on by themselves.
    """

    def __init__(
        self, rotate_bytes: int, opened_ns: int, clock: Callable[[], float]
    ) -> None:
        self._rotate_bytes = rotate_bytes
        self._least_ns = rotate_bytes * SECOND_NS // FASTEST_BYTES_PER_SECOND
        self._opened_ns = opened_ns
        self._clock = clock
        self._arrived = self._before = clock()
        self._unverified = 0
        self._behind = False
        self._not_before = 0.0
        self._last_ns = {STDOUT: 0, STDERR: 0}
        self._rates = Rates()

    def arrived(self, size: int, lines: Sequence[Line]) -> None:
        """Note that a read of *size* bytes gave *lines*."""
        self._before, self._arrived = self._arrived, self._clock()
        size += _HEAD_BYTES * len(lines)
        self._unverified += size
        if lines:
            self._rates.add(lines[-1][1].timestamp_ns, size, len(lines))

    def verified(self, seconds: float) -> None:
        """Note that all there is was read from the files, in *seconds*.

        The follower is behind now.
        """
        self._not_before = self._clock() + WEAK_SIGNS_REST * seconds
        self._unverified = 0
        self._behind = True

    @property
    def calm_seconds(self) -> float | None:
        """After what silence to look at the files; None when there is no need."""
        return CALM_SECONDS if self._unverified * 4 >= self._rotate_bytes else None

    def next_turn(
        self,
        lines: Sequence[Line],
        start: int,
        progress: Progress,
        wanted: Container[int],
    ) -> int:
        """Return the index from *start* on of the next line to be looked at.

        It is of a stream in *wanted*; there may be none: ``len(lines)``.
        """
        # 0.2 CPU s per million lines (tests/shipper/docker/bench_frames.py).
        high_ns, least_ns, last_ns = progress.high_ns, self._least_ns, self._last_ns
        behind = self._behind and progress.searching
        for at in range(start, len(lines)):
            stream, (timestamp_ns, _, _) = lines[at]
            if stream not in wanted:
                continue
            before_ns, last_ns[stream] = last_ns[stream], timestamp_ns
            if timestamp_ns > high_ns:
                if timestamp_ns - high_ns > least_ns:
                    return at
                if behind and progress.stream(stream).searching:
                    return at
                high_ns = timestamp_ns
            elif timestamp_ns < before_ns:
                return at
        return len(lines)

    def doubtful(self, line: Line, progress: Progress, *, first: bool) -> bool:
        """Say whether *line* is in doubt; *first* is the first of a read."""
        stream, (timestamp_ns, _, _) = line
        if timestamp_ns <= progress.high_ns:
            return progress.stream(stream).unsure(timestamp_ns)
        if self._behind and progress.stream(stream).searching:
            return True
        pause_ns = timestamp_ns - progress.high_ns
        return pause_ns > self._least_ns and self._left_out(
            progress.high_ns, timestamp_ns, first=first
        )

    def _left_out(self, before_ns: int, timestamp_ns: int, *, first: bool) -> bool:
        """Say whether a file may be missing between two lines."""
        if timestamp_ns <= self._opened_ns or not before_ns:
            return False
        pause_ns = timestamp_ns - before_ns
        written = self._rates.bytes_per_second * pause_ns / SECOND_NS
        if written > LIKELY * self._rotate_bytes:
            return True
        # Lines that come together though time lies between them: the follower, or
        # whoever reads, was late. That is a weak sign, since a container may pause.
        waited_ns = (self._arrived - self._before) * SECOND_NS if first else 0
        return waited_ns < pause_ns / 2 and self._clock() >= self._not_before

    @property
    def lines_per_second(self) -> float:
        """How many lines a second the container wrote at most lately."""
        return self._rates.lines_per_second

    def pressed(self, behind_ns: int) -> bool:
        """Say whether reading is late, by *behind_ns*: Docker may delete what is next.

        The measure is what the container writes in that time, against a file.
        """
        rate = self._rates.bytes_per_second
        if rate * PRESSED_SECONDS < self._rotate_bytes:
            return False
        return rate * behind_ns / SECOND_NS > PRESSED * self._rotate_bytes
