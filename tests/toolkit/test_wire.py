from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit import wire


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (-1, "ff" * 9 + "01")],
)
def test_varint(value: int, encoded: str) -> None:
    assert wire.varint(value).hex() == encoded


@given(st.integers(0, (1 << 64) - 1))
def test_varint_is_read_back(value: int) -> None:
    data = wire.varint(value)
    assert wire.read_varint(data, 0) == (value, len(data))


@given(st.integers(0, 1 << 40), st.floats(), st.binary(max_size=300))
def test_fields_are_read_back(whole: int, number: float, content: bytes) -> None:
    message = wire.whole(1, whole) + wire.double(2, number) + wire.block(15, content)
    (one, two, three) = wire.fields(message)
    assert one == (1, whole)
    assert three == (15, content)
    assert isinstance(two[1], bytes)
    back = wire.read_double(two[1])
    assert back == number or (math.isnan(back) and math.isnan(number))
