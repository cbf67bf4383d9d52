from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.files.splitter import FileLine
from shipper.files.text import splitters
from shipper.files.utf16 import Utf16Splitter


ORDERS = ["utf-16-le", "utf-16-be"]
# Characters whose bytes look like newlines where they are none.
TRAPS = st.text("a\n\r\u0a00\u000a\u0a0a\u010a\u0a01é😀", max_size=20)


def lines(data: bytes, encoding: str, size: int, offset: int = 0) -> list[FileLine]:
    """Read *data* as a tail does: the splitter says where to go on."""
    splitter = splitters(encoding)(offset, 1000)
    found: list[FileLine] = []
    while True:
        start = splitter.offset
        chunk = data[start : start + size]
        splitter.begins(data[:2])
        found += splitter.feed(chunk[splitter.offset - start :])
        if splitter.offset == start:
            return [*found, *splitter.flush()]


def expected(text: str) -> list[str]:
    *whole, rest = text.split("\n")
    return [*whole, rest] if rest else whole


@pytest.mark.parametrize("order", ORDERS)
@given(text=TRAPS, size=st.integers(2, 9))
def test_any_split_gives_the_same_lines(order: str, text: str, size: int) -> None:
    data = text.encode(order)
    found = lines(data, order.replace("-le", "le").replace("-be", "be"), size)
    assert [line.text.decode() for line in found] == expected(text)
    ends = [end for _, end in found]
    assert all(end % 2 == 0 for end in ends)
    for line in found[:3]:  # read again from the end of any line
        again = lines(data, order.replace("16-", "16"), size, line.end)
        assert again == found[found.index(line) + 1 :]


@pytest.mark.parametrize("order", ORDERS)
@given(text=TRAPS, size=st.integers(2, 9))
def test_the_mark_tells_the_order_and_is_no_text(
    order: str, text: str, size: int
) -> None:
    data = ("\ufeff" + text).encode(order)
    found = lines(data, "UTF-16", size)
    assert [line.text.decode() for line in found] == expected(text)
    for line in found[:2]:
        assert lines(data, "UTF-16", size, line.end) == found[found.index(line) + 1 :]


def test_where_the_order_is_fixed_the_mark_is_text_as_in_promtail() -> None:
    found = lines("\ufeffone\ntwo\n".encode("utf-16-le"), "UTF-16LE", 100)
    assert [line.text.decode() for line in found] == ["\ufeffone", "two"]


def test_promtails_offset_is_within_a_newline() -> None:
    data = "one\ntwo\n".encode("utf-16-le")
    odd = data.index(b"\n") + 1
    assert lines(data, "UTF-16LE", 100, odd) == [FileLine(b"two", len(data))]


def test_an_odd_byte_waits_for_the_other() -> None:
    splitter = Utf16Splitter(0, 100, order="utf-16-le")
    assert splitter.feed(b"a") == []
    assert (splitter.offset, splitter.pending) == (0, False)
    assert splitter.feed(b"a\0\n") == []
    assert splitter.offset == 2
    assert splitter.feed(b"\n\0b") == [FileLine(b"a", 4)]


def test_long_lines_are_cut_between_units() -> None:
    splitter = Utf16Splitter(0, 5, order="utf-16-le")
    data = "abcdef\nx\n".encode("utf-16-le")
    assert splitter.feed(data) == [FileLine(b"ab", 14), FileLine(b"x", 18)]
    assert splitter.truncated == 1
