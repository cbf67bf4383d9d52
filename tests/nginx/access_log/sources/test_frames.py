from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.access_log.sources.frames import Frames


LIMIT = 20


def _read(parts: Iterable[bytes], limit: int = LIMIT) -> list[bytes]:
    frames = Frames(limit)
    found = [frame for part in parts for frame in frames.feed(part)]
    return found + frames.finish()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<1>a\n<2>b\n", [b"<1>a", b"<2>b"]),
        (b"<1>a\r\n\n\n<2>b", [b"<1>a\r", b"<2>b"]),
        (b"4 <1>a5 <2>b\n", [b"<1>a", b"<2>b\n"]),
        (b"4 <1>a\n<2>b\n4 <3>c", [b"<1>a", b"<2>b", b"<3>c"]),
        # Over the limit: cut, and what follows is read.
        (b"<1>" + b"x" * 40 + b"\n<2>b\n", [b"<1>" + b"x" * 17, b"<2>b"]),
        (b"30 <1>" + b"x" * 27 + b"<2>b\n", [b"<1>" + b"x" * 17, b"<2>b"]),
        # No message, but a line: the parser says that it is none.
        (b"12 monkeys\n<2>b\n", [b"12 monkeys", b"<2>b"]),
        (b"123456789 <1>\n<2>b\n", [b"123456789 <1>", b"<2>b"]),
        # The stream ends too early.
        (b"9 <1>a", []),
        (b"12", []),
        (b"", []),
    ],
)
def test_frames(data: bytes, expected: list[bytes]) -> None:
    assert _read([data]) == expected
    assert _read(bytes([byte]) for byte in data) == expected


@given(
    st.lists(
        st.sampled_from([b"<1>a", b"\n", b"5 ", b"<2>bcd", b"9", b" ", b"x" * 30])
    ),
    st.lists(st.integers(1, 40), max_size=20),
)
def test_portions_make_no_difference(pieces: list[bytes], sizes: list[int]) -> None:
    data = b"".join(pieces)
    parts = []
    rest = data
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    assert _read([*parts, rest]) == _read([data])


@given(st.lists(st.binary(max_size=60)))
def test_whatever_comes_frames_are_bounded(parts: list[bytes]) -> None:
    assert all(0 < len(frame) <= LIMIT + 60 for frame in _read(parts))
