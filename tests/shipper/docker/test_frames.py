from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from shipper.docker.frames import (
    MAX_FRAME_BYTES,
    PART_BYTES,
    STDERR,
    STDOUT,
    SYSTEMERR,
    UNSTAMPED,
    Demuxer,
    FrameError,
    Line,
    parse_timestamp,
)
from shipper.pipeline.entry import Entry


T0 = b"2026-11-22T15:09:10.000000001Z"
T0_NS = 1795360150_000000001
T1 = b"2026-11-22T15:09:10.5Z"
T1_NS = 1795360150_500000000
NOW = 42


def frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxL", kind, len(payload)) + payload


def read(data: bytes, *, tty: bool | None = None, limit: int = 1 << 20) -> list[Line]:
    demuxer = Demuxer(tty=tty, max_line_bytes=limit, now_ns=lambda: NOW)
    return demuxer.feed(data) + demuxer.flush()


def out(timestamp_ns: int, line: bytes) -> Line:
    return STDOUT, Entry(timestamp_ns, line)


def err(timestamp_ns: int, line: bytes) -> Line:
    return STDERR, Entry(timestamp_ns, line)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        (T0, T0_NS),
        (T1, T1_NS),
        (b"2026-11-22T15:09:10Z", 1795360150_000000000),
        (b"2026-11-22T17:09:10.999999999+02:00", 1795360150_999999999),
        (b"2026-11-22T12:39:10.000000001-02:30", T0_NS),
        (b"1969-12-31T23:59:59.999999999Z", -1),
        (b"2024-02-29T00:00:00Z", 1709164800_000000000),
    ],
)
def test_timestamp(text: bytes, nanoseconds: int) -> None:
    assert parse_timestamp(text + b" x") == (nanoseconds, len(text) + 1)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"no time at all\n",
        T0,  # no space behind
        b"2026-13-22T15:09:10Z x",
        b"2025-02-29T15:09:10Z x",
        b"2026-11-22T15:09:10.Z x",
        b"2026-11-22T15:09:10.1234567890Z x",
        b"2026-11-22 15:09:10Z x",
    ],
)
def test_no_timestamp(record: bytes) -> None:
    assert parse_timestamp(record) is None


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(0, 999))  # noqa: DTZ001  # the zone is added below
def test_every_timestamp_is_exact(moment: datetime, nanos: int) -> None:
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}{nanos:03d}Z x\n"
    micros = (
        moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    ) // timedelta(microseconds=1)
    expected = micros * 1000 + nanos
    first = b"1999-01-01T00:00:00.000000000Z x\n"
    # The second of two goes through the cache of the whole second.
    data = frame(1, first) + 2 * frame(1, text.encode())
    assert [entry.timestamp_ns for _, entry in read(data)[1:]] == [expected] * 2


@pytest.mark.parametrize(
    ("payloads", "lines"),
    [
        ([(1, T0 + b" a\n")], [out(T0_NS, b"a")]),
        ([(0, T0 + b" a\n")], [out(T0_NS, b"a")]),  # stdin is echoed output
        ([(2, T0 + b" a\n"), (1, T1 + b" b\n")], [err(T0_NS, b"a"), out(T1_NS, b"b")]),
        ([(1, T0 + b" \n")], [out(T0_NS, b"")]),  # promtail ships empty lines
        ([(1, T0 + b" a\r\n")], [out(T0_NS, b"a")]),
        ([(1, T0 + b" \r\n")], [out(T0_NS, b"")]),
        ([(1, T0 + b" a\r\r\n")], [out(T0_NS, b"a\r")]),
        ([(1, T0 + b" \x1c\x85\xff\n")], [out(T0_NS, b"\x1c\x85\xff")]),
        ([(1, T0 + b" end without newline")], [out(T0_NS, b"end without newline")]),
    ],
)
def test_frames(payloads: list[tuple[int, bytes]], lines: list[Line]) -> None:
    assert read(b"".join(frame(*payload) for payload in payloads)) == lines


PART = b"p" * PART_BYTES


@pytest.mark.parametrize(
    ("payloads", "lines"),
    [
        ([T0 + b" " + PART, T0 + b" rest\n"], [out(T0_NS, PART + b"rest")]),
        # Exactly 16 KiB and a newline are two records.
        ([T0 + b" " + PART, T0 + b" \n"], [out(T0_NS, PART)]),
        # The local driver of 20.10 gives the last part no newline.
        (
            [T0 + b" " + PART, T0 + b" rest", T1 + b" next\n"],
            [out(T0_NS, PART + b"rest"), out(T1_NS, b"next")],
        ),
        # ... and when the last part is full only the time tells.
        (
            [T0 + b" " + PART, T0 + b" " + PART, T1 + b" next\n"],
            [out(T0_NS, PART + PART), out(T1_NS, b"next")],
        ),
        # The container died in the middle of a line.
        ([T0 + b" " + PART], [out(T0_NS, PART)]),
        # A \r at the end of a part is text; promtail loses it.
        (
            [T0 + b" " + PART[:-1] + b"\r", T0 + b" x\r\n"],
            [out(T0_NS, PART[:-1] + b"\rx")],
        ),
    ],
)
def test_parts_are_joined(payloads: list[bytes], lines: list[Line]) -> None:
    assert read(b"".join(frame(1, payload) for payload in payloads)) == lines
    # On a terminal the same records come without frames.
    if not any(payload.endswith(b"rest") for payload in payloads):
        assert read(b"".join(payloads), tty=True) == lines


def test_parts_of_both_streams_interleave() -> None:
    data = (
        frame(1, T0 + b" " + PART)
        + frame(2, T1 + b" " + PART)
        + frame(1, T0 + b" one\n")
        + frame(2, T1 + b" two\n")
    )
    assert read(data) == [out(T0_NS, PART + b"one"), err(T1_NS, PART + b"two")]


def test_a_program_may_print_a_timestamp_on_a_terminal() -> None:
    text = b"x" * 100 + T0 + b" " + b"y" * (PART_BYTES - 100 - len(T0) - 1)
    raw = T1 + b" " + text + T1 + b" more " + T0 + b" z\r\n"
    assert read(raw) == [out(T1_NS, text + b"more " + T0 + b" z")]


def test_first_byte_tells_the_format() -> None:
    assert read(T0 + b" on a terminal\r\n") == [out(T0_NS, b"on a terminal")]
    assert read(frame(1, T0 + b" framed\n")) == [out(T0_NS, b"framed")]


@pytest.mark.parametrize("tty", [False, True])
def test_a_line_beyond_the_limit_is_cut_and_counted(tty: bool) -> None:
    demuxer = Demuxer(tty=tty, max_line_bytes=PART_BYTES + 10)
    long = b"a" * (5 * PART_BYTES)
    records = [
        T0 + b" " + long[at : at + PART_BYTES] for at in range(0, len(long), PART_BYTES)
    ]
    records += [T0 + b" the end\n", T1 + b" next\n"]
    data = b"".join(records if tty else [frame(1, record) for record in records])
    assert demuxer.feed(data) == [
        out(T0_NS, long[: PART_BYTES + 10]),
        out(T1_NS, b"next"),
    ]
    assert demuxer.truncated == 1


def test_one_frame_beyond_the_limit_is_cut() -> None:
    assert read(frame(1, T0 + b" 0123456789\n"), limit=4) == [out(T0_NS, b"0123")]


def test_a_line_of_the_limit_is_whole() -> None:
    assert read(frame(1, T0 + b" 0123\n"), limit=4) == [out(T0_NS, b"0123")]


def test_raw_bytes_without_newline_do_not_fill_the_memory() -> None:
    demuxer = Demuxer(tty=True, max_line_bytes=1000)
    lines = demuxer.feed(T0 + b" " + b"a" * 10)
    for _ in range(100):
        lines += demuxer.feed(b"a" * 1000)
        assert len(demuxer._rest) < 3000
    lines += demuxer.feed(b"\n" + T1 + b" next\n")
    assert lines == [out(T0_NS, b"a" * 1000), out(T1_NS, b"next")]
    assert demuxer.truncated == 1


def test_unreadable_time_is_counted_and_shipped() -> None:
    demuxer = Demuxer(now_ns=lambda: NOW)
    lines = demuxer.feed(frame(2, b"garbage\n") + frame(1, T0 + b" fine\n"))
    assert lines == [(STDERR | UNSTAMPED, Entry(NOW, b"garbage")), out(T0_NS, b"fine")]
    assert demuxer.parsing_errors == 1


def test_unreadable_time_does_not_join_an_open_line() -> None:
    # promtail appends it: "unterminatedgarbage-no-ts".
    data = frame(1, T0 + b" " + PART) + frame(1, b"garbage\n")
    assert read(data) == [
        out(T0_NS, PART),
        (STDOUT | UNSTAMPED, Entry(NOW, b"garbage")),
    ]


def test_unreadable_time_on_a_terminal() -> None:
    demuxer = Demuxer(tty=True, now_ns=lambda: NOW)
    lines = demuxer.feed(b"garbage\n" + T0 + b" fine\n")
    assert lines == [(STDOUT | UNSTAMPED, Entry(NOW, b"garbage")), out(T0_NS, b"fine")]
    assert demuxer.parsing_errors == 1


def test_the_daemon_speaks() -> None:
    demuxer = Demuxer(now_ns=lambda: NOW)
    lines = demuxer.feed(frame(3, b"Error grabbing logs: unexpected EOF\n"))
    text = b"Error grabbing logs: unexpected EOF"
    assert lines == [(SYSTEMERR | UNSTAMPED, Entry(NOW, text))]
    assert demuxer.parsing_errors == 0


@pytest.mark.parametrize(
    "header",
    [
        b"\x04\0\0\0\0\0\0\1",
        b"\x01\1\0\0\0\0\0\1",
        struct.pack(">BxxxL", 1, MAX_FRAME_BYTES + 1),
    ],
)
def test_no_header(header: bytes) -> None:
    demuxer = Demuxer(tty=False)
    with pytest.raises(
        FrameError, match=f"expected a frame header, got {header.hex()}"
    ):
        demuxer.feed(header)


texts = st.binary(max_size=40).map(lambda text: text.replace(b"\n", b""))
stamps = st.sampled_from([T0, T1, b"2026-11-22T15:09:11.123456789Z"])
long_texts = st.integers(PART_BYTES - 2, 2 * PART_BYTES + 2).map(
    lambda size: b"l" * size
)
records = st.tuples(
    st.sampled_from([1, 2]), stamps, st.one_of(texts, texts, long_texts)
)
cuts = st.lists(st.integers(1, 20_000), max_size=30)


def cut_records(stamp: bytes, text: bytes) -> list[bytes]:
    parts = [text[at : at + PART_BYTES] for at in range(0, len(text) + 1, PART_BYTES)]
    return [stamp + b" " + part for part in parts[:-1]] + [
        stamp + b" " + parts[-1] + b"\n"
    ]


def feed_split(demuxer: Demuxer, data: bytes, sizes: list[int]) -> list[Line]:
    lines: list[Line] = []
    at = 0
    for size in sizes:
        lines += demuxer.feed(data[at : at + size])
        at += size
    return lines + demuxer.feed(data[at:]) + demuxer.flush()


@given(st.lists(records, max_size=12), cuts)
def test_any_split_of_frames_gives_the_lines_written(
    written: list[tuple[int, bytes, bytes]], sizes: list[int]
) -> None:
    data = b"".join(
        frame(kind, record)
        for kind, stamp, text in written
        for record in cut_records(stamp, text)
    )
    expected = [(kind, text.removesuffix(b"\r")) for kind, _, text in written]
    lines = feed_split(Demuxer(), data, sizes)
    assert [(kind, entry.line) for kind, entry in lines] == expected


@given(st.lists(records, max_size=12), st.data())
def test_parts_that_are_frames_or_are_not_give_the_lines_written(
    written: list[tuple[int, bytes, bytes]], data: st.DataObject
) -> None:
    frames = [
        frame(kind, record)
        for kind, stamp, text in written
        for record in cut_records(stamp, text)
    ]
    parts: list[bytes] = []
    for one in frames:
        at = data.draw(st.sampled_from([0, 0, 0, 5, 20, len(one) - 1]))
        parts += [one[:at], one[at:]] if at else [one]
        if len(parts) > 1 and data.draw(st.integers(0, 4)) == 0:
            parts[-2:] = [parts[-2] + parts[-1]]
    demuxer, lines = Demuxer(), []
    while parts:
        count = data.draw(st.integers(1, 5))
        lines += demuxer.feed_parts(parts[:count])
        del parts[:count]
    expected = [(kind, text.removesuffix(b"\r")) for kind, _, text in written]
    assert [(kind, entry.line) for kind, entry in lines] == expected
    assert not demuxer.pending


@pytest.mark.parametrize("kind", [0, 3, 4])
def test_odd_parts_are_as_odd_as_odd_frames(kind: int) -> None:
    first, other = frame(1, T0 + b" a\n"), frame(kind, T1 + b" b\n")
    for parts in ([first, other], [first, frame(1, T1 + b" b\n"), other]):
        whole, pieces = Demuxer(now_ns=lambda: 1), Demuxer(now_ns=lambda: 1)
        if kind == 4:
            with pytest.raises(FrameError):
                whole.feed(b"".join(parts))
            pieces.feed_parts([first])
            with pytest.raises(FrameError):
                pieces.feed_parts(parts)
            continue
        expected = whole.feed(b"".join(parts))
        assert pieces.feed_parts(parts[:1]) + pieces.feed_parts(parts[1:]) == expected


@given(st.lists(records, max_size=12), cuts)
def test_any_split_of_a_terminal_gives_the_lines_written(
    written: list[tuple[int, bytes, bytes]], sizes: list[int]
) -> None:
    data = b"".join(
        record for _, stamp, text in written for record in cut_records(stamp, text)
    )
    lines = feed_split(Demuxer(), data, sizes)
    expected = [text.removesuffix(b"\r") for _, _, text in written]
    assert [entry.line for _, entry in lines] == expected


@given(st.binary(max_size=200), cuts, st.sampled_from([None, True, False]))
def test_rubbish_raises_nothing_else(
    data: bytes, sizes: list[int], tty: bool | None
) -> None:
    whole: list[Line] | None
    split: list[Line] | None
    try:
        whole = read(data, tty=tty)
    except FrameError:
        whole = None
    try:
        split = feed_split(Demuxer(tty=tty, now_ns=lambda: NOW), data, sizes)
    except FrameError:
        split = None
    assert whole == split


@given(st.lists(st.binary(max_size=60), max_size=8), cuts)
def test_frames_of_rubbish_are_all_shipped(
    payloads: list[bytes], sizes: list[int]
) -> None:
    data = b"".join(frame(1, b"x" + payload + b"\n") for payload in payloads)
    demuxer = Demuxer(now_ns=lambda: NOW)
    lines = feed_split(demuxer, data, sizes)
    assert [entry.line for _, entry in lines] == [
        (b"x" + payload).removesuffix(b"\r") for payload in payloads
    ]
    assert demuxer.parsing_errors == len(payloads)
