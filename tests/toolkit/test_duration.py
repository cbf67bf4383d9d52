from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit import duration


# The cases of Go's own time_test.go, in nanoseconds.
@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("+0", 0),
        ("5s", 5_000_000_000),
        ("-5s", -5_000_000_000),
        ("5.0s", 5_000_000_000),
        ("5.s", 5_000_000_000),
        (".5s", 500_000_000),
        ("10ns", 10),
        ("12µs", 12_000),
        ("12μs", 12_000),
        ("12us", 12_000),
        ("-2m3.4s", -123_400_000_000),
        ("1h2m3s4ms5us6ns", 3_723_004_005_006),
        ("39h9m14.425s", 140_954_425_000_000),
        ("0.3333333333333333333h", 1_200_000_000_000 - 1),
        ("9223372036854775807ns", 2**63 - 1),
        ("-9223372036854775808ns", -(2**63)),
    ],
)
def test_parse(text: str, nanoseconds: int) -> None:
    assert abs(duration.parse_nanoseconds(text) - nanoseconds) <= (
        1 if "3333" in text else 0
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("-", 'time: invalid duration "-"'),
        ("s", 'time: invalid duration "s"'),
        (".s", 'time: invalid duration ".s"'),
        ("+.s", 'time: invalid duration "+.s"'),
        ("3", 'time: missing unit in duration "3"'),
        ("1m3", 'time: missing unit in duration "1m3"'),
        ("3x", 'time: unknown unit "x" in duration "3x"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ("1 s", 'time: unknown unit " s" in duration "1 s"'),
        ("9223372036854775808ns", "invalid duration"),
        ("3000000h", "invalid duration"),
    ],
)
def test_refuse(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"^time: ") as caught:
        duration.parse_go_duration(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1e-9, "1ns"),
        (1.1e-6, "1.1µs"),
        (0.0022, "2.2ms"),
        (3.3, "3.3s"),
        (60, "1m0s"),
        (245, "4m5s"),
        (245.001, "4m5.001s"),
        (18367.001, "5h6m7.001s"),
        (-1.5, "-1.5s"),
        (100, "1m40s"),
        (0.1, "100ms"),
    ],
)
def test_format(seconds: float, text: str) -> None:
    assert duration.format_go_duration(seconds) == text


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_format_then_parse_is_identity(nanoseconds: int) -> None:
    text = duration.format_nanoseconds(nanoseconds)
    assert duration.parse_nanoseconds(text) == nanoseconds


@given(st.text("0123456789.hmsnuµ-+ x", max_size=12))
def test_only_value_error(text: str) -> None:
    outcome = ""
    try:
        duration.parse_go_duration(text)
    except ValueError as error:
        outcome = str(error)
    assert outcome == "" or outcome.startswith("time: ")


@pytest.mark.parametrize(
    ("nanoseconds", "seconds"),
    [
        (0, 0.0),
        (1, 1e-9),
        (1_001_000_000, 1.001),
        (-1_500_000_000, -1.5),
        (-1_500_000_001, -1.500000001),
        (3_466_080_000, 3.46608),
        (30_000_000_000, 30.0),
        (123_456_789_000_000_001, 123456789.0 + 1e-9),
    ],
)
def test_seconds_are_gos(nanoseconds: int, seconds: float) -> None:
    assert duration.in_seconds(nanoseconds) == seconds
