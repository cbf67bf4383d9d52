from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.access_log.sources.splitter import Splitter


def _split(data: bytes, *sizes: int, limit: int = 8) -> list[bytes]:
    splitter = Splitter(limit)
    lines = []
    for size in sizes:
        lines += splitter.feed(data[:size])
        data = data[size:]
    return lines + splitter.feed(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\r\n\r\n\n\nb\n", [b"a", b"b"]),
        (b"a\nb", [b"a"]),
        (b"\0\0\0a\n\0\nb\0\n", [b"a", b"b\0"]),
        (b"\xff\xfe\n", [b"\xff\xfe"]),
        (b"12345678\na\n", [b"12345678", b"a"]),
        (b"123456789\na\n", [b"12345678", b"a"]),
        (b"1234567890" * 5 + b"\na\n", [b"12345678", b"a"]),
        (b"1234567890" * 5, [b"12345678"]),
    ],
)
def test_lines(data: bytes, expected: list[bytes]) -> None:
    assert _split(data) == expected
    assert _split(data, *[1] * len(data)) == expected


@given(st.text("ab\n\r\0", max_size=60).map(str.encode), st.lists(st.integers(1, 12)))
def test_portions_make_no_difference(data: bytes, sizes: list[int]) -> None:
    assert _split(data, *sizes) == _split(data)


def test_a_line_whose_end_will_not_come() -> None:
    splitter = Splitter(8)
    assert splitter.feed(b"abc") == []
    splitter.clear()
    assert splitter.feed(b"d\n") == [b"d"]
    assert splitter.feed(b"1234567890") == [b"12345678"]
    splitter.clear()
    assert splitter.feed(b"e\n") == [b"e"]
