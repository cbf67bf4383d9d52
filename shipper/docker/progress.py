"""Know which lines of a container are done: what to ask Docker for, what to suppress.

The order of lines is Docker's: that of the container's log, per stream. Time only
helps to find the place again, because ``since`` is all the API offers. Clocks step, the
stamps of the two streams interleave backwards, and dockerd up to 20.10 repeats lines
when it rotates a file under a follower. So a place is a `Mark`: the time of the last
line and the checksums of the lines that bear it. While a connection is open nothing is
suppressed because it is old, only because it is known.

A line is *accepted* when it is read, *departs* when it is put into the sink, and is
*done* when it is acknowledged. Between the first two it may lie on disk
(`shipper.docker.backlog`).

Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from zlib import crc32

from shipper.docker.remembered import Remembered
from shipper.docker.run import BEFORE_MARK, LINE, TIME, Run, rise
from shipper.pipeline.entry import Entry, Labels


SECOND_NS = 1_000_000_000

OVERLAP_NS = 2 * SECOND_NS
"""How far before the mark a log is read again: the streams' stamps may cross."""

_LOST: Labels = (("", "lost"),)
"""Labels that no line has."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in one stream: behind the last line that is done.

    *timestamp_ns* is that line's time, *checksums* those of the lines that end there
    and bear that time, *high_ns* the greatest time of all lines before (greater than
    *timestamp_ns* only after the clock was set back). *number* counts the lines that
    are done since the first one ever: it says which lines of the spool are.
    """

    timestamp_ns: int
    checksums: tuple[int, ...]
    high_ns: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """What is kept of a container over a restart.

    Every line before *since_ns* is done; of the streams in *marks* also every line up
    to the mark.
    """

    since_ns: int
    marks: dict[int, Mark] = field(default_factory=dict)


class _Place(Enum):
    """Where a line lies, seen from a mark that is searched for."""

    KNOWN = "it was read"
    MISSED = "it lies before the mark and was not read"
    AFTER = "it lies behind the mark"


class Segment:
    """A `Cursor`: the lines of one stream that were put under one set of labels.

    When labels change, the lines of the old ones may be acknowledged after those of
    the new ones; these wait here (*early*), since a mark can only say "up to".
    """

    __slots__ = ("_stream", "early", "labels", "pending", "runs")

    def __init__(self, stream: StreamProgress, labels: Labels) -> None:
        self._stream = stream
        self.labels = labels
        self.runs: deque[Run] = deque()
        self.pending = 0
        self.early = 0

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Note that the oldest ``len(entries)`` lines of this cursor are done.

        They are counted, not looked at: a pipeline may have changed text and time.
        """
        self._stream.acknowledged(self, len(entries))


class _Replay:
    """The search for a mark when known lines come again.

    Lines before the mark are known, except one that was certainly never read: dockerd
    may leave out a whole file when it follows a log (see `shipper.docker.skips`), and
    give its lines when it is asked again.
    """

    __slots__ = ("_high_ns", "_left", "_mark", "_remembered", "found")

    def __init__(self, mark: Mark, remembered: Remembered) -> None:
        self._mark = mark.timestamp_ns
        # Times above the mark's lie before it only if the clock was set back.
        self._high_ns = max(mark.timestamp_ns, mark.high_ns)
        self._left = Counter(mark.checksums)
        self._remembered = remembered
        self.found = False

    def place(self, timestamp_ns: int, checksum: int) -> _Place:
        """Say where a line lies that comes before the mark was found."""
        if timestamp_ns == self._mark:
            if not self._left[checksum]:
                return _Place.AFTER
            self._left[checksum] -= 1
            self.found = self._left.total() == 0
            return _Place.KNOWN
        if timestamp_ns > self._high_ns:
            return _Place.AFTER
        remembered = self._remembered
        # What is older than all that are remembered is taken for read.
        known = timestamp_ns <= remembered.forgotten_ns
        if known or remembered.has(timestamp_ns, checksum):
            return _Place.KNOWN
        return _Place.MISSED


class Moves:
    """Counts what may have changed a position: of a stream, and of all together."""

    __slots__ = ("_all", "count")

    def __init__(self, everything: Moves | None = None) -> None:
        self._all = everything
        self.count = 0

    def add(self) -> None:
        """Count one."""
        self.count += 1
        if self._all is not None:
            self._all.add()


class StreamProgress:
    """One stream of one container: lines read, lines in flight, lines done."""

    def __init__(self, mark: Mark | None, moves: Moves | None = None) -> None:
        self._moves = moves or Moves()
        self._segments = deque([Segment(self, ())])
        self._replay: _Replay | None = None
        self.done_number = mark.number if mark else 0
        self._done_ns = mark.timestamp_ns if mark else None
        self._done = list(mark.checksums) if mark else []
        self._done_high_ns = mark.high_ns if mark else 0
        self._read_ns = self._done_ns
        self._read = list(self._done)
        self._read_high_ns = self._done_high_ns
        self._remembered = Remembered(self._done_high_ns)
        for checksum in self._read:
            self._remembered.add(self._read_ns or 0, checksum)

    @property
    def cursor(self) -> Segment:
        """The cursor of the line that departed last."""
        return self._segments[-1]

    @property
    def done(self) -> Mark | None:
        """The place up to which everything is acknowledged."""
        if self._done_ns is None:
            return None
        return Mark(
            self._done_ns, tuple(self._done), self._done_high_ns, self.done_number
        )

    @property
    def read(self) -> Mark | None:
        """The place up to which everything was read."""
        if self._read_ns is None:
            return None
        return Mark(self._read_ns, tuple(self._read), self._read_high_ns)

    @property
    def read_ns(self) -> int:
        """The time of the last line read, 0 when there is none."""
        return self._read_ns or 0

    @property
    def high_ns(self) -> int:
        """The greatest time of all lines read."""
        return self._read_high_ns

    @property
    def in_flight(self) -> int:
        """How many lines were put and not acknowledged."""
        return sum(segment.pending for segment in self._segments)

    @property
    def departed_number(self) -> int:
        """The number of the line that departed last."""
        return self.done_number + self.in_flight

    def lines_in_flight(self) -> Iterator[tuple[Entry, int]]:
        """Yield the lines that are put and not acknowledged, and their checksums."""
        for segment in self._segments:
            for run in segment.runs:
                yield from run

    def oldest_in_flight_ns(self) -> int | None:
        """Return the smallest time of a line that is put and not acknowledged."""
        return min(
            (run.oldest_ns for segment in self._segments for run in segment.runs),
            default=None,
        )

    def restore(self, read: Mark, done_number: int) -> None:
        """Take the lines up to *read* for read, and those up to *done_number* for done.

        They lie in the spool, in whole or from *done_number* on.
        """
        self._moves.add()
        self.done_number = max(self.done_number, done_number)
        if read.number <= self.done_number:
            return
        self._read_ns, self._read = read.timestamp_ns, list(read.checksums)
        self._read_high_ns = read.high_ns
        self._remembered = Remembered(read.high_ns)
        for checksum in self._read:
            self._remembered.add(read.timestamp_ns, checksum)

    def begin(self, since_ns: int) -> None:
        """Expect the log again from *since_ns* on: a new connection."""
        mark = self.read
        # A mark from before the beginning will not come again, and no known line.
        known = mark is not None and mark.timestamp_ns >= since_ns
        self._replay = _Replay(mark, self._remembered) if mark and known else None

    @property
    def searching(self) -> bool:
        """Whether known lines are expected to come again."""
        return self._replay is not None

    def unsure(self, timestamp_ns: int) -> bool:
        """Say whether it cannot be told if a line that goes back in time was read.

        It may be as old as those that are not remembered any more.
        """
        old = timestamp_ns <= self._remembered.forgotten_ns
        return old and timestamp_ns < self.read_ns and self._replay is None

    def depart(self, run: Run, labels: Labels) -> Segment:
        """Note that accepted lines are put now; return the cursor to put them with.

        Lines depart in the order in which they were accepted.
        """
        segment = self._segments[-1]
        if segment.labels is not labels and segment.labels != labels:
            if segment.pending:
                segment = Segment(self, labels)
                self._segments.append(segment)
            segment.labels = labels
        segment.runs.append(run)
        segment.pending += len(run)
        self._moves.add()
        return segment

    def lose(self, count: int) -> None:
        """Count *count* lines as departed and done: nobody has them any more."""
        segment = Segment(self, _LOST)
        segment.runs.append(Run(0, [Entry(0, b"")] * count, [BEFORE_MARK] * count))
        segment.pending = count
        self._segments.append(segment)
        self.acknowledged(segment, count)

    def accept_all(self, stream: int, entries: Sequence[Entry]) -> Run | None:
        """Take *entries* as read and new, if that is plain to see, else return None.

        Each has a later time than the one before, as lines have whose clock is not set.
        """
        # 0.26 CPU s per million lines, where `accept` takes 0.9 for each by itself
        # (tests/shipper/docker/bench_frames.py).
        times = list(map(TIME, entries))
        if self._replay is not None or times[0] <= self._read_high_ns:
            return None
        if not rise(times):
            return None
        checksums = list(map(crc32, map(LINE, entries)))
        self._remembered.extend(times, checksums)
        self._read_ns, self._read = times[-1], [checksums[-1]]
        self._read_high_ns = times[-1]
        return Run(stream, entries, checksums, rising=True)

    def accept(self, entry: Entry) -> tuple[int | None, bool]:
        """Take a line as read; return its checksum, and whether it follows a gap.

        None: it is known. A gap means that the last known line was asked for and did
        not come: Docker has rotated it away, and perhaps others.
        """
        timestamp_ns, line, _ = entry
        checksum = crc32(line)
        gap = False
        last_ns = self._read_ns
        if self._replay is not None:
            place = self._replay.place(timestamp_ns, checksum)
            if place is _Place.KNOWN:
                if self._replay.found:
                    self._replay = None
                return None, False
            if place is _Place.MISSED:
                self._remembered.add(timestamp_ns, checksum)
                return BEFORE_MARK, False
            gap, self._replay = True, None
        elif (
            last_ns is not None
            and timestamp_ns <= last_ns
            and self._remembered.has(timestamp_ns, checksum)
        ):
            return None, False
        if timestamp_ns == last_ns:
            self._read.append(checksum)
        else:
            self._read_ns, self._read = timestamp_ns, [checksum]
        if timestamp_ns > self._read_high_ns:  # noqa: PLR1730  # max() costs 3 times this
            self._read_high_ns = timestamp_ns
        self._remembered.add(timestamp_ns, checksum)
        return checksum, gap

    def acknowledged(self, segment: Segment, count: int) -> None:
        """Move the mark over *count* lines of *segment*, or note them as early."""
        self._moves.add()
        segment.early += count
        while True:
            front = self._segments[0]
            self._pass(front)
            if front.pending or len(self._segments) == 1:
                return
            self._segments.popleft()

    def _pass(self, segment: Segment) -> None:
        if segment.early > segment.pending:
            raise ValueError(
                f"{segment.early} lines acknowledged of {segment.pending} in flight"
            )
        self.done_number += segment.early
        segment.pending -= segment.early
        while segment.early:
            run = segment.runs[0]
            first, run.done = run.done, run.done + min(segment.early, len(run))
            # Of lines whose times rise the mark is the last one.
            for at in range(run.done - 1 if run.rising else first, run.done):
                self._move_to(run.entries[at].timestamp_ns, run.checksums[at])
            segment.early -= run.done - first
            if not run:
                segment.runs.popleft()

    def _move_to(self, timestamp_ns: int, checksum: int) -> None:
        if checksum == BEFORE_MARK:
            return
        if timestamp_ns == self._done_ns:
            self._done.append(checksum)
        else:
            self._done_ns, self._done = timestamp_ns, [checksum]
        self._done_high_ns = max(self._done_high_ns, timestamp_ns)


class Progress:
    """One container: its streams, and the place from which its log is read again."""

    def __init__(
        self, position: Position | None = None, moves: Moves | None = None
    ) -> None:
        self.moves = Moves(moves)
        """Counts what may have changed `position`, and in *moves* that of others."""
        self._since_ns = position.since_ns if position else 0
        self._departed_ns = self._since_ns
        marks = position.marks if position else {}
        self._streams = {
            key: StreamProgress(mark, self.moves) for key, mark in marks.items()
        }
        # A position without marks is promtail's: whole seconds, included in full.
        self._started = bool(marks)

    @property
    def streams(self) -> Mapping[int, StreamProgress]:
        """The progress of every stream that has had a line."""
        return self._streams

    def stream(self, stream: int) -> StreamProgress:
        """Return the progress of *stream* (`frames.STDOUT` or `frames.STDERR`)."""
        progress = self._streams.get(stream)
        if progress is None:
            progress = self._streams[stream] = StreamProgress(None, self.moves)
        return progress

    @property
    def in_flight(self) -> int:
        """How many lines were put and not acknowledged."""
        return sum(stream.in_flight for stream in self._streams.values())

    def oldest_in_flight_ns(self) -> int | None:
        """Return the smallest time of a line that is put and not acknowledged."""
        oldest = [stream.oldest_in_flight_ns() for stream in self._streams.values()]
        return min((stamp for stamp in oldest if stamp is not None), default=None)

    @property
    def high_ns(self) -> int:
        """The greatest time of all lines read, 0 when there is none."""
        return max((stream.high_ns for stream in self._streams.values()), default=0)

    @property
    def position(self) -> Position:
        """What to keep: from there on nothing that is not done is missed."""
        oldest_ns = self.oldest_in_flight_ns()
        marks = {key: stream.done for key, stream in self._streams.items()}
        return Position(
            self._departed_ns if oldest_ns is None else oldest_ns,
            {key: mark for key, mark in marks.items() if mark is not None},
        )

    @property
    def searching(self) -> bool:
        """Whether known lines are expected to come again."""
        return any(stream.searching for stream in self._streams.values())

    def go_on(self) -> None:
        """Expect no line again: what comes now follows what was read."""
        for stream in self._streams.values():
            stream.begin(stream.high_ns + 1)

    def resume(self, from_ns: int) -> None:
        """Go on with a connection that gives the lines from *from_ns* on again."""
        for stream in self._streams.values():
            stream.begin(from_ns)

    def begin(self, before_ns: int | None = None, overlap_ns: int = OVERLAP_NS) -> int:
        """Start a connection; return the ``since`` in ns to ask with (0: all).

        It is not after *before_ns*, and *overlap_ns* before what was read last.
        """
        since_ns = max(0, self._since_ns - (overlap_ns if self._started else 0))
        if before_ns is not None:
            since_ns = min(since_ns, before_ns)
        read = [stream.read for stream in self._streams.values()]
        marks = [mark for mark in read if mark is not None]
        # After a clock was set back known lines lie on both sides of their mark: then
        # the mark must be among what is asked for.
        while behind := [
            mark.timestamp_ns
            for mark in marks
            if mark.timestamp_ns < since_ns <= mark.high_ns
        ]:
            since_ns = min(behind)
        for stream in self._streams.values():
            stream.begin(since_ns)
        return since_ns

    def accept_all(self, stream: int, entries: Sequence[Entry]) -> Run | None:
        """Take lines of *stream* as read, see `StreamProgress.accept_all`."""
        run = self.stream(stream).accept_all(stream, entries)
        if run is not None:
            self._since_ns = entries[-1].timestamp_ns
            self._started = True
        return run

    def accept(self, stream: StreamProgress, entry: Entry) -> tuple[int | None, bool]:
        """Take a line of *stream* as read, see `StreamProgress.accept`."""
        result = stream.accept(entry)
        if result[0] is not None:
            # Lines are read in the log's order: the next one is not far from this.
            self._since_ns = entry.timestamp_ns
            self._started = True
        return result

    def depart(self, run: Run, labels: Labels) -> Segment:
        """Note that lines are put, see `StreamProgress.depart`."""
        self._departed_ns = run.entries[-1].timestamp_ns
        return self.stream(run.stream).depart(run, labels)

    @property
    def read(self) -> Position:
        """The place up to which everything was read: what the spool keeps."""
        marks = {key: stream.read for key, stream in self._streams.items()}
        return Position(
            self._since_ns,
            {key: mark for key, mark in marks.items() if mark is not None},
        )

    def restore(self, read: Position, done: Mapping[int, int]) -> None:
        """Go on behind what lies in the spool, see `StreamProgress.restore`.

        *done* has the number before the first line of each stream there.
        """
        for key, mark in read.marks.items():
            stream = self.stream(key)
            stream.restore(mark, done.get(key, 0))
            if mark.number > stream.done_number:
                self._since_ns, self._started = read.since_ns, True
