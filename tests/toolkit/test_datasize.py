from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.datasize import format_byte_size, parse_byte_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0), ("256", 256), ("256kb", 262144), ("256KB", 262144), ("2M", 2 << 20),
        ("1 gb", 1 << 30), ("3megabytes", 3 << 20), ("1byte", 1), ("7EB", 7 << 60),
    ],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert parse_byte_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "kb", "1.5kb", "-1", "1kib", "1x", "8EB", "1 k b"]
)
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"^datasize.UnmarshalText: parsing "):
        parse_byte_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"), (1, "1B"), (1023, "1023B"), (1024, "1KB"), (1536, "1536B"),
        (3 << 20, "3MB"), (7 << 60, "7EB"),
    ],
)  # fmt: skip
def test_printed(size: int, text: str) -> None:
    assert format_byte_size(size) == text


@given(st.integers(0, (1 << 63) - 1))
def test_what_is_printed_is_read_back(size: int) -> None:
    assert parse_byte_size(format_byte_size(size)) == size
