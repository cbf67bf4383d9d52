from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from exporters.node import integers


Parse = Callable[[str], int]
PARSERS: tuple[Parse, ...] = (
    integers.decimal,
    integers.signed_decimal,
    integers.unsigned,
    integers.signed,
)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (integers.decimal, "0", 0),
        (integers.decimal, "007", 7),
        (integers.decimal, "18446744073709551615", 2**64 - 1),
        (integers.signed_decimal, "-9223372036854775808", -(2**63)),
        (integers.signed_decimal, "+010", 10),
        (integers.unsigned, "0xFF", 255),
        (integers.unsigned, "0Xffffffffffffffff", integers.UINT64_MAX),
        (integers.unsigned, "0", 0),
        (integers.unsigned, "010", 8),
        (integers.unsigned, "0o17", 15),
        (integers.unsigned, "0b101", 5),
        (integers.signed, "-0x10", -16),
        (integers.signed, "+12", 12),
        (integers.signed, "9223372036854775807", 2**63 - 1),
    ],
)
def test_what_go_takes(parse: Parse, text: str, value: int) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *((parse, text) for parse in PARSERS for text in ("", " 1", "1 ", "1_0", "x")),
        *((parse, "\u0663") for parse in PARSERS),  # a digit, but not Go's
        *((parse, "-") for parse in PARSERS),
        (integers.decimal, "-1"),
        (integers.decimal, "+1"),
        (integers.decimal, "0x1"),
        (integers.decimal, "18446744073709551616"),
        (integers.signed_decimal, "9223372036854775808"),
        (integers.signed_decimal, "0x1"),
        (integers.unsigned, "-1"),
        (integers.unsigned, "08"),
        (integers.unsigned, "0x"),
        (integers.signed, "-9223372036854775809"),
        (integers.signed, "1.5"),
    ],
)
def test_what_go_refuses(parse: Parse, text: str) -> None:
    with pytest.raises(ValueError, match=r"expected an (unsigned )?integer of 64 bits"):
        parse(text)


@pytest.mark.parametrize("parse", PARSERS)
@given(text=st.text(max_size=30))
def test_rubbish_raises_only_value_error(parse: Parse, text: str) -> None:
    with contextlib.suppress(ValueError):
        assert -(2**63) <= parse(text) < 2**64
