from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from shipper.syslog.frame import Frame
from shipper.syslog.octets import CUT_SHORT, NO_LENGTH
from shipper.syslog.splitter import LONGEST_LINE, Splitter


LIMIT = 64


def split(*portions: bytes, limit: int = LIMIT) -> list[Frame]:
    splitter = Splitter(limit)
    frames = [frame for data in portions for frame in splitter.feed(data)]
    return frames + splitter.finish()


def texts(*portions: bytes) -> list[bytes]:
    return [frame.data for frame in split(*portions)]


# Checked against promtail 3.4.6, see tests/shipper/oracle; where it drops bytes the
# case says so.
@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (b"", []),
        (b"<1>a", [b"<1>a"]),
        (b"<1>a\n", [b"<1>a"]),
        (b"<1>a\n<1>b\n", [b"<1>a", b"<1>b"]),
        (b"<1>a\r\n<1>b\r\n", [b"<1>a\r", b"<1>b\r"]),
        (b"<1>a\nmore\n  yet\n<1>b", [b"<1>a\nmore\n  yet", b"<1>b"]),
        (b"<1>a\n\n\n<1>b\n\n", [b"<1>a\n\n", b"<1>b\n"]),
        (b"<1>a\ncut off", [b"<1>a", b"cut off"]),  # promtail drops the second
        (b"\n<1>a\n", [b"<1>a"]),  # promtail closes the connection
        (b"text\nmore\n<1>a\n", [b"text", b"more", b"<1>a"]),  # it closes here too
        (b"<1>a\0b\n", [b"<1>a\0b"]),
    ],
)
def test_lines(stream: bytes, found: list[bytes]) -> None:
    assert texts(stream) == found


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (b"4 <1>a", [b"<1>a"]),
        (b"4 <1>a4 <1>b", [b"<1>a", b"<1>b"]),
        (b"4 <1>a\n4 <1>b\n", [b"<1>a", b"<1>b"]),
        (b"5 <1>a\n5 <1>b\n", [b"<1>a\n", b"<1>b\n"]),
        (b"004 <1>a", [b"<1>a"]),
        (b"8 <1>\n<1>\n4 <1>b", [b"<1>\n<1>\n", b"<1>b"]),
    ],
)
def test_octets(stream: bytes, found: list[bytes]) -> None:
    assert split(stream) == [Frame(data) for data in found]


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (b"99 <1>a", [Frame(b"<1>a", problem=CUT_SHORT)]),
        (b"4 <1>a<1>b\n4 <1>c", [Frame(b"<1>a"), Frame(b"<1>b", problem=NO_LENGTH),
                                 Frame(b"<1>c")]),
        (b"0 <1>a", [Frame(b"0 <1>a", problem=NO_LENGTH)]),
        (b"2026-01-01 text\n4 <1>a", [Frame(b"2026-01-01 text", problem=NO_LENGTH),
                                      Frame(b"<1>a")]),
        (b"4 text\n", [Frame(b"4 text", problem=NO_LENGTH)]),
        (b"123456789 <1>a", [Frame(b"123456789 <1>a", problem=NO_LENGTH)]),
        (b"4 <1>a12", [Frame(b"<1>a"), Frame(b"12", problem=NO_LENGTH)]),
        (b"4 <1>a\n\r\n", [Frame(b"<1>a")]),
    ],
)  # fmt: skip
def test_lengths_that_are_none_lose_nothing(stream: bytes, found: list[Frame]) -> None:
    """Promtail closes the connection at the first of these."""
    assert split(stream) == found


def test_a_message_over_the_limit_is_cut_and_the_next_one_is_whole() -> None:
    long = b"<1>" + b"x" * 100
    assert split(b"103 " + long + b"4 <1>a") == [
        Frame(long[:LIMIT], cut=True),
        Frame(b"<1>a"),
    ]


def test_a_line_may_be_longer_than_the_limit_as_in_promtail() -> None:
    long = b"<1>" + b"x" * 100
    assert split(long + b"\n") == [Frame(long)]
    endless = b"<1>" + b"x" * LONGEST_LINE
    assert split(endless, b"more\n<1>a\n") == [
        Frame(endless[:LONGEST_LINE], cut=True),
        Frame(b"<1>a"),
    ]


def test_continuations_are_bounded_too() -> None:
    frames = split(b"<1>a\n" + b"x" * 1000 + b"\n" + b"line\n" * LONGEST_LINE)
    assert [(len(frame.data), frame.cut) for frame in frames] == [(LONGEST_LINE, True)]


def is_open(splitter: Splitter) -> bool:
    return splitter.is_open


def test_a_silence_ends_a_message() -> None:
    splitter = Splitter(LIMIT)
    assert splitter.feed(b"<1>a\n") == []
    assert is_open(splitter)
    assert splitter.flush() == [Frame(b"<1>a")]
    assert not is_open(splitter)
    assert splitter.flush() == []
    assert splitter.feed(b"<1>b\nmo") == []
    assert not is_open(splitter)  # the line is not whole
    assert splitter.feed(b"re\n<") == [Frame(b"<1>b\nmore")]  # it cannot go on
    assert splitter.finish() == [Frame(b"<")]


_STREAMS = st.lists(
    st.sampled_from(
        [b"<1>a", b"\n", b"<", b"more", b"4 <1>a", b"9 ", b" ", b"0", b"12", b"\r",
         b"<1>" + b"x" * 70, b"73 <1>" + b"x" * 70]
    ),
    max_size=12,
).map(b"".join)  # fmt: skip


@given(_STREAMS, st.lists(st.integers(0, 200)))
def test_any_split_gives_the_same_messages(stream: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    portions = [stream[a:b] for a, b in pairwise(places)]
    assert split(*portions) == split(stream)
    assert split(*(stream[i : i + 1] for i in range(len(stream)))) == split(stream)


@given(st.lists(st.binary().map(b"<".__add__)))
def test_what_was_counted_comes_out(messages: list[bytes]) -> None:
    stream = b"".join(b"%d %s" % (len(data), data) for data in messages)
    assert split(stream, limit=1 << 20) == [Frame(data) for data in messages]


@given(st.lists(st.binary()))
def test_nothing_but_line_ends_and_lengths_is_lost(portions: list[bytes]) -> None:
    given_bytes = b"".join(portions)
    found = b"".join(frame.data for frame in split(*portions, limit=1 << 20))
    gone = set(given_bytes) - set(found)
    assert gone <= set(b"\r\n\t\v\f 0123456789")
