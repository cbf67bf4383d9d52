from __future__ import annotations

import pytest

from shipper.files.splitter import FileLine
from shipper.files.text import splitters


@pytest.mark.parametrize(
    ("encoding", "keep_cr", "data", "expected"),
    [
        ("", True, b"\xe9\r\n", b"\xe9\r"),
        ("", False, b"\xe9\r\n", b"\xe9"),
        ("latin1", True, b"\xe9\r\n", "é\r".encode()),
        ("Shift_JIS", False, "日本\r\n".encode("shift_jis"), "日本".encode()),
        ("utf-16be", True, "é\r\n".encode("utf-16-be"), "é\r".encode()),
        ("utf-16be", False, "é\r\n".encode("utf-16-be"), "é".encode()),
    ],
)
def test_lines(encoding: str, keep_cr: bool, data: bytes, expected: bytes) -> None:
    splitter = splitters(encoding, keep_cr=keep_cr)(0, 100)
    assert splitter.feed(data) == [FileLine(expected, len(data))]


def test_a_kept_carriage_return_counts() -> None:
    splitter = splitters(keep_cr=True)(0, 2)
    assert splitter.feed(b"ab\r\nabc\n") == [FileLine(b"ab", 4), FileLine(b"ab", 8)]
    assert splitter.truncated == 2


def test_an_unknown_encoding() -> None:
    with pytest.raises(ValueError, match='unknown encoding "klingon"'):
        splitters("klingon")
