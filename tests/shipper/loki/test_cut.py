from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.loki.cut import character_end, cut_with_marker


MARKER = "…[cut by shipper: %d bytes]"
SIZE = len((MARKER % 100).encode())
SHARP = "ß".encode()


@pytest.mark.parametrize(
    ("line", "limit", "kept", "marked"),
    [
        (b"x" * 100, 100, b"x" * 100, False),
        (b"x" * 101, 100, b"x" * (100 - SIZE), True),
        (b"\xff" * 101, 100, b"\xff" * (100 - SIZE), True),
        (SHARP * 60, 100, SHARP * ((100 - SIZE) // 2), True),
        (SHARP * 60, 101, SHARP * ((101 - SIZE) // 2), True),
        (b"x" * 101, 2 * SIZE, b"x" * SIZE, True),
        (b"x" * 101, 2 * SIZE - 1, b"x" * (2 * SIZE - 1), False),  # no room for both
        (SHARP * 60, 41, SHARP * 20, False),
        (b"abc", 0, b"", False),
    ],
)
def test_a_line_is_cut_and_says_so(
    line: bytes, limit: int, kept: bytes, *, marked: bool
) -> None:
    marker = (MARKER % len(line)).encode() if marked else b""
    assert cut_with_marker(line, limit) == kept + marker


@given(st.text(), st.integers(0, 200))
def test_what_was_text_is_text(text: str, limit: int) -> None:
    line = text.encode()
    cut = cut_with_marker(line, limit)
    assert len(cut) <= limit or cut == line
    cut.decode()


@given(st.binary(min_size=1), st.data())
def test_the_end_of_a_character(line: bytes, data: st.DataObject) -> None:
    limit = data.draw(st.integers(0, len(line) - 1))
    assert max(0, limit - 3) <= character_end(line, limit) <= limit
