from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

import pytest
from hypothesis import given, strategies as st

from shipper.docker.frames import STDERR, STDOUT
from shipper.docker.progress import (
    OVERLAP_NS,
    SECOND_NS,
    Mark,
    Position,
    Progress,
    Segment,
)
from shipper.docker.remembered import REMEMBERED_LINES
from shipper.docker.run import Run
from shipper.pipeline.entry import Entry, Labels


S = SECOND_NS
Log = list[tuple[int, Entry]]


class Reader:
    """Reads a log as a tailer does and keeps what was put, with its cursor."""

    def __init__(self, position: Position | None = None) -> None:
        self.progress = Progress(position)
        self.put: Log = []
        self.flight: list[tuple[Segment, Entry]] = []
        self.gaps = 0
        self.labels: Labels = (("app", "a"),)
        self.at_once = 3

    def connect(self, log: Log, *, until: int | None = None) -> None:
        """Read *log* as dockerd gives it: from the first line not before ``since``."""
        since_ns = self.progress.begin()
        times = [entry.timestamp_ns >= since_ns for _, entry in log]
        self.follow(log[times.index(True) : until] if True in times else [])

    def follow(self, log: Iterable[tuple[int, Entry]]) -> None:
        for key, group in groupby(log, itemgetter(0)):
            entries = [entry for _, entry in group]
            for at in range(0, len(entries), self.at_once):
                self.accept(key, entries[at : at + self.at_once])

    def accept(self, key: int, entries: list[Entry]) -> None:
        run = self.progress.accept_all(key, entries)
        for one in [run] if run else self.singly(key, entries):
            cursor = self.progress.depart(one, self.labels)
            self.put += [(key, entry) for entry in one.entries]
            self.flight += [(cursor, entry) for entry in one.entries]

    def singly(self, key: int, entries: list[Entry]) -> Iterator[Run]:
        for entry in entries:
            checksum, gap = self.progress.accept(self.progress.stream(key), entry)
            self.gaps += gap
            if checksum is not None:
                yield Run(key, [entry], [checksum])

    def acknowledge(self, count: int) -> None:
        for cursor, entry in self.flight[:count]:
            cursor.acknowledge([entry])
        del self.flight[:count]


def out(timestamp_ns: int, text: str) -> tuple[int, Entry]:
    return STDOUT, Entry(timestamp_ns, text.encode())


def err(timestamp_ns: int, text: str) -> tuple[int, Entry]:
    return STDERR, Entry(timestamp_ns, text.encode())


LOG = [out(at * S, f"line {at}") for at in range(100, 110)]


def test_a_first_reading_asks_for_everything() -> None:
    reader = Reader()
    assert reader.progress.begin() == 0
    assert reader.progress.position == Position(0, {})


def test_position_moves_only_by_acknowledgement() -> None:
    reader = Reader()
    reader.connect(LOG)
    assert reader.progress.position == Position(100 * S, {})
    reader.acknowledge(3)
    position = reader.progress.position
    assert position.since_ns == 103 * S
    assert position.marks[STDOUT].timestamp_ns == 102 * S
    reader.acknowledge(7)
    assert reader.progress.position.since_ns == 109 * S
    assert reader.progress.in_flight == 0


@pytest.mark.parametrize("acknowledged", range(11))
def test_resume_gives_exactly_the_rest(acknowledged: int) -> None:
    first = Reader()
    first.connect(LOG)
    first.acknowledge(acknowledged)
    second = Reader(first.progress.position)
    second.connect(LOG)
    assert second.put == LOG[acknowledged:]
    assert second.gaps == 0


def test_reconnect_suppresses_what_is_in_flight() -> None:
    reader = Reader()
    reader.connect(LOG, until=6)
    reader.connect(LOG)
    assert reader.put == LOG
    assert reader.gaps == 0


def test_reconnect_asks_with_overlap() -> None:
    reader = Reader()
    reader.connect(LOG)
    assert reader.progress.begin() == 109 * S - OVERLAP_NS


def test_a_cursor_of_promtail_is_included_in_full() -> None:
    reader = Reader(Position(104 * S))
    assert reader.progress.begin() == 104 * S
    assert reader.progress.position == Position(104 * S)


def test_equal_times_are_told_apart_by_text() -> None:
    log = [out(5 * S, text) for text in "abc"] + [out(6 * S, "d")]
    first = Reader()
    first.connect(log)
    first.acknowledge(2)
    assert len(first.progress.position.marks[STDOUT].checksums) == 2
    second = Reader(first.progress.position)
    second.connect(log)
    assert second.put == log[2:]


def test_streams_that_interleave_backwards_lose_nothing() -> None:
    log = [out(100 * S + 9, "a"), err(100 * S + 3, "b"), out(100 * S + 8, "c")]
    log += [err(100 * S + 2, "d"), out(100 * S + 20, "e")]
    for acknowledged in range(len(log) + 1):
        first = Reader()
        first.connect(log)
        first.acknowledge(acknowledged)
        second = Reader(first.progress.position)
        second.connect(log)
        assert second.put == log[acknowledged:]


def test_a_silent_stream_does_not_hold_the_others_back() -> None:
    log = [err(1 * S, "once"), *LOG]
    reader = Reader()
    reader.connect(log)
    reader.acknowledge(len(log))
    resumed = Reader(reader.progress.position)
    assert resumed.progress.begin() == 109 * S - OVERLAP_NS
    late = [*log, err(120 * S, "again")]
    resumed.connect(late)
    assert resumed.put == late[-1:]
    assert resumed.gaps == 0


def test_a_repeated_line_is_suppressed_while_following() -> None:
    reader = Reader()
    reader.connect(LOG)
    reader.follow(LOG[5:])  # a rotation in 20.10
    reader.follow([out(110 * S, "next")])
    assert reader.put == [*LOG, out(110 * S, "next")]


def test_a_clock_set_back_loses_nothing() -> None:
    log = [*LOG, out(50 * S, "after the step"), out(51 * S, "and on")]
    log += [out(109 * S + 1, "there again"), out(110 * S, "normal")]
    for acknowledged in range(len(log) + 1):
        for read in range(acknowledged, len(log) + 1):
            first = Reader()
            first.connect(log, until=read)
            first.acknowledge(acknowledged)
            first.connect(log)
            assert first.put == log
            second = Reader(first.progress.position)
            second.connect(log)
            assert second.put == log[acknowledged:]


def test_a_rotated_mark_is_a_gap() -> None:
    first = Reader()
    first.connect(LOG)
    first.acknowledge(4)
    rest = LOG[7:]
    second = Reader(first.progress.position)
    second.connect(rest)
    assert second.put == rest
    assert second.gaps == 1


DENSE = [out(100 * S + at, f"line {at}") for at in range(10)]


def test_a_line_left_out_before_the_mark_is_new() -> None:
    """dockerd's follower skipped a file, which is read when the container died."""
    reader = Reader()
    reader.connect(DENSE[:3])
    reader.follow(DENSE[6:])
    reader.connect(DENSE)
    assert reader.put == [*DENSE[:3], *DENSE[6:], *DENSE[3:6]]
    assert reader.gaps == 0
    reader.acknowledge(8)
    position = reader.progress.position
    assert position.marks[STDOUT].timestamp_ns == 100 * S + 9
    assert position.since_ns == 100 * S + 4
    reader.acknowledge(2)
    mark = reader.progress.position.marks[STDOUT]
    assert replace(mark, number=8) == position.marks[STDOUT]


def test_a_line_left_out_is_not_new_twice() -> None:
    reader = Reader()
    reader.connect(DENSE[:3])
    reader.follow(DENSE[6:])
    reader.connect([*DENSE[:9], *DENSE[2:]])
    assert sorted(reader.put) == DENSE


def test_what_is_older_than_remembered_is_known() -> None:
    log = [out(at, f"{at}") for at in range(1, 4 * REMEMBERED_LINES)]
    reader = Reader()
    reader.connect(log)
    reader.connect(log)
    assert reader.put == log


def test_the_files_are_read_between_two_lines_of_a_follower() -> None:
    reader = Reader()
    reader.connect(LOG[:3])
    doubt = LOG[6][1].timestamp_ns
    assert reader.progress.begin(doubt, S // 4) == 102 * S - S // 4
    reader.follow(LOG[2:9])
    reader.progress.resume(doubt)
    searching = [reader.progress.searching]
    reader.follow(LOG[6:9])
    searching.append(reader.progress.searching)
    reader.follow(LOG[9:])
    assert searching == [True, False]
    assert reader.put == LOG
    assert reader.gaps == 0


def test_memory_is_bounded() -> None:
    reader = Reader()
    reader.follow(out(at, "x") for at in range(3 * REMEMBERED_LINES))
    stream = reader.progress.stream(STDOUT)
    assert len(stream._remembered) <= 2 * REMEMBERED_LINES


def test_labels_may_change_with_lines_in_flight() -> None:
    reader = Reader()
    stream = reader.progress.stream(STDOUT)
    reader.follow(LOG[:4])
    old = stream.cursor
    reader.labels = (("app", "b"),)
    reader.follow(LOG[4:])
    new = stream.cursor
    assert new is not old
    # The lines under the new labels are acknowledged first.
    new.acknowledge([entry for _, entry in LOG[4:]])
    assert reader.progress.position.marks == {}
    old.acknowledge([entry for _, entry in LOG[:3]])
    assert reader.progress.position.marks[STDOUT].timestamp_ns == 102 * S
    old.acknowledge([LOG[3][1]])
    assert reader.progress.position.marks[STDOUT].timestamp_ns == 109 * S
    assert stream.in_flight == 0


def test_more_acknowledged_than_put_is_a_fault() -> None:
    reader = Reader()
    reader.follow(LOG[:1])
    with pytest.raises(ValueError, match="2 lines acknowledged of 1 in flight"):
        reader.progress.stream(STDOUT).cursor.acknowledge([LOG[0][1]] * 2)


def test_mark_remembers_the_high_water() -> None:
    reader = Reader()
    reader.connect([out(9 * S, "a"), out(5 * S, "b")])
    reader.acknowledge(2)
    mark = reader.progress.position.marks[STDOUT]
    assert (mark.timestamp_ns, mark.high_ns) == (5 * S, 9 * S)
    assert mark == Mark(5 * S, mark.checksums, 9 * S, number=2)


steps = st.integers(0, 3 * S)
lines = st.lists(
    st.tuples(st.sampled_from([STDOUT, STDERR]), steps, st.integers(-S, S)), max_size=30
)


@given(lines, st.data())
def test_killed_anywhere_each_line_is_once(
    written: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    # Time goes on by a step a line; each stream's stamps are up to a second off, but
    # never fall back in their own stream, as measured with dockerd.
    log: Log = []
    now = 1000 * S
    last = {STDOUT: 0, STDERR: 0}
    for number, (key, step, off) in enumerate(written):
        now += step
        last[key] = max(last[key] + 1, now + off)
        log.append((key, Entry(last[key], f"{number}".encode())))
    shipped: Log = []
    position: Position | None = None
    for _ in range(3):
        reader = Reader(position)
        reader.at_once = data.draw(st.integers(1, 9))
        reader.connect(log, until=data.draw(st.integers(0, len(log))))
        if data.draw(st.booleans()):
            reader.connect(log)
        count = data.draw(st.integers(0, len(reader.put)))
        shipped += reader.put[:count]
        reader.acknowledge(count)
        position = reader.progress.position
    reader = Reader(position)
    reader.connect(log)
    assert sorted(shipped + reader.put) == sorted(log)
