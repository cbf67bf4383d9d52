from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.files.splitter import FileLine, LineSplitter


MAX = 6


def expected(data: bytes, offset: int) -> tuple[list[FileLine], int, bytes]:
    """Do the same to all bytes at once: lines, how many were cut, what is left."""
    lines, cut = [], 0
    while b"\n" in data:
        line, _, data = data.partition(b"\n")
        offset += len(line) + 1
        text, too_long = shorten(line)
        cut += too_long
        lines.append(FileLine(text, offset))
    return lines, cut, data


def shorten(line: bytes) -> tuple[bytes, bool]:
    without = line[:-1] if line.endswith(b"\r") else line
    if len(without) <= MAX:
        return without, False
    return line[:MAX].removesuffix(b"\r"), True


@given(
    st.lists(st.text("ab\r\n", max_size=12).map(str.encode), max_size=12),
    st.integers(0, 99),
)
def test_any_split_gives_the_same_lines(pieces: list[bytes], offset: int) -> None:
    data = b"".join(pieces)
    lines, cut, rest = expected(data, offset)
    splitter = LineSplitter(offset, MAX)
    assert [line for piece in pieces for line in splitter.feed(piece)] == lines
    assert splitter.truncated == cut
    assert splitter.pending is bool(rest)
    assert splitter.offset == offset + len(data)
    last = [FileLine(shorten(rest)[0], offset + len(data))] if rest else []
    assert splitter.flush() == last
    assert splitter.flush() == []


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_any_place_to_stop_and_go_on(data: bytes, stops: list[int]) -> None:
    """Reading again from the end of any line gives the rest of the lines."""
    lines, _, _ = expected(data, 0)
    for line in lines[:4]:
        again = LineSplitter(line.end, MAX).feed(data[line.end :])
        assert again == lines[lines.index(line) + 1 :]


def test_what_goes_on_after_a_flush_is_another_line() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a") == []
    assert splitter.flush() == [FileLine(b"a", 1)]
    assert splitter.feed(b"b\n") == [FileLine(b"b", 3)]


@pytest.mark.parametrize("size", [1, 1000])
def test_memory_is_bounded(size: int) -> None:
    splitter = LineSplitter(max_line_bytes=100)
    for _ in range(10_000 // size):
        splitter.feed(b"x" * size)
    assert splitter._held <= 102
    assert splitter.feed(b"\nnext\n") == [
        FileLine(b"x" * 100, 10_001),
        FileLine(b"next", 10_006),
    ]
    assert splitter.truncated == 1
