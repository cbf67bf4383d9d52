from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given, strategies as st

from shipper.files.place import (
    HEAD_BYTES,
    Place,
    Segment,
    Trail,
    format_place,
    parse_place,
)
from shipper.pipeline.entry import Entry


def entries(count: int) -> list[Entry]:
    return [Entry(number, b"") for number in range(count)]


kept_places = st.builds(
    Place,
    offset=st.integers(0, 1 << 62),
    inode=st.integers(1, (1 << 64) - 1),
    head_bytes=st.integers(0, HEAD_BYTES),
    head_checksum=st.integers(0, (1 << 32) - 1),
    lines=st.none() | st.integers(0, 1 << 62),
)


@given(kept_places)
def test_what_is_written_is_read(place: Place) -> None:
    assert parse_place(format_place(place)) == place


@given(st.text("0123456789 :abf-", max_size=20))
def test_nothing_but_a_place_or_an_error(text: str) -> None:
    try:
        place = parse_place(text)
    except ValueError as error:
        assert "expected '<offset> <inode>" in str(error)  # noqa: PT017  # not required
    else:
        assert place.offset >= 0


@pytest.mark.parametrize(
    "text", ["", "1", "-1 2 3:4", "1 2 9999:4", "1 2 3", "x y z", "1 2 3:4 -5"]
)
def test_no_place(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_place(text)


def test_describes() -> None:
    place = Place(10, 1, 3, crc32(b"abc"))
    assert place.describes(b"abc")
    assert place.describes(b"abcdef")
    assert not place.describes(b"ab")
    assert not place.describes(b"abx")
    assert Place(0, 1, 0, 0).describes(b"")


@given(st.lists(st.integers(0, 5), max_size=10))
def test_acknowledged_is_the_end_of_a_line(counts: list[int]) -> None:
    segment = Segment(1, 7)
    ends = [7 + 10 * number for number in range(1, sum(counts) + 1)]
    segment.pending.extend(ends)
    done = 0
    for count in counts:
        if count:
            segment.acknowledge(entries(count))
        done += count
        assert segment.place.offset == (ends[done - 1] if done else 7)


def offsets(trail: Trail) -> list[tuple[int | None, int]]:
    return [(place.inode, place.offset) for place in trail.places]


def test_a_rotated_file_is_kept_until_it_is_done() -> None:
    trail = Trail()
    old = trail.begin(1, 0)
    old.pending.extend([5, 9])
    new = trail.begin(2, 0)
    new.pending.append(4)
    assert offsets(trail) == [(1, 0), (2, 0)]
    old.ended = True
    new.acknowledge(entries(1))
    old.acknowledge(entries(1))
    assert offsets(trail) == [(1, 5), (2, 4)]
    assert trail.in_flight == 1
    old.acknowledge(entries(1))
    assert offsets(trail) == [(2, 4)]
    new.ended = True
    assert offsets(trail) == [(2, 4)]


def test_kept_places_stand_until_a_file_is_found() -> None:
    trail = Trail([Place(3, 1), Place(4, 2)])
    assert offsets(trail) == [(1, 3), (2, 4)]
    trail.begin(9, 0)
    assert offsets(trail) == [(9, 0)]


def test_restart_reads_again_what_is_not_acknowledged() -> None:
    trail = Trail()
    segment = trail.begin(1, 0)
    segment.pending.extend([5, 9])
    segment.acknowledge(entries(1))
    trail.restart()
    assert offsets(trail) == [(1, 5)]
    assert trail.in_flight == 0


def test_lines_are_counted_if_they_are_to_be() -> None:
    trail = Trail()
    segment = trail.begin(1, 100, lines=7)
    segment.pending.extend([110, 120])
    segment.acknowledge(entries(1))
    assert (segment.place.offset, segment.place.number) == (110, 8)
    assert Place(100, 1).number == 100


@pytest.mark.parametrize(("acknowledged", "since"), [(0, 5), (1, 5), (2, 6), (3, None)])
def test_since_when_lines_wait(acknowledged: int, since: int | None) -> None:
    trail = Trail()
    segment = trail.begin(1, 0)
    segment.pending.extend([10, 20, 30])
    segment.mark(20, 5)
    segment.mark(30, 6)
    segment.acknowledge(entries(acknowledged))
    assert trail.waiting_since_ns == since


def test_marks_of_acknowledged_lines_are_dropped_though_nobody_asks() -> None:
    """Else a file that is read for weeks keeps one for each reading."""
    segment = Trail().begin(1, 0)
    for end in range(1, 1000):
        segment.pending.append(end)
        segment.mark(end, end)
        segment.acknowledge(entries(1))
    assert len(segment._marks) == 1
