from __future__ import annotations

import math
import struct
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Context

import pytest
from hypothesis import example, given, strategies as st

from exporters.toolkit import gotext


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", '""'),
        ("abc", '"abc"'),
        ('say "hi"', r'"say \"hi\""'),
        ("a\\b", r'"a\\b"'),
        ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("\x00\x1b\x7f", r'"\x00\x1b\x7f"'),
        ("é☺", '"é☺"'),
        ("\u00a0\u2028", r'"\u00a0\u2028"'),
        ("\U000e0001", r'"\U000e0001"'),
        ("\udcff", r'"\xff"'),
    ],
)
def test_quote(text: str, quoted: str) -> None:
    assert gotext.quote(text) == quoted


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_quote_is_one_printable_line(text: str) -> None:
    quoted = gotext.quote(text)
    assert quoted[1:-1].isprintable()
    assert not quoted.endswith('\\"') or quoted.endswith('\\\\"') or text.endswith('"')


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_true(text: str) -> None:
    assert gotext.parse_bool(text) is True


@pytest.mark.parametrize("text", ["0", "f", "F", "FALSE", "false", "False"])
def test_false(text: str) -> None:
    assert gotext.parse_bool(text) is False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("40", 40.0),
        ("+1.5e3", 1500.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-Inf", float("-inf")),
        ("infinity", float("inf")),
        ("0x1p-2", 0.25),
    ],
)
def test_float(text: str, value: float) -> None:
    assert gotext.parse_float(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "abc", " 1", "1 ", "1_000", "0x10", "1e", ".", "१", "1,5"],
)
def test_float_syntax(text: str) -> None:
    with pytest.raises(ValueError, match=r"^strconv.ParseFloat: parsing .*") as caught:
        gotext.parse_float(text)
    assert str(caught.value).endswith(": invalid syntax")


@pytest.mark.parametrize("text", ["1e999", "-1e999", "0x1p99999"])
def test_float_range(text: str) -> None:
    with pytest.raises(ValueError, match=r"value out of range$"):
        gotext.parse_float(text)


def test_integer() -> None:
    assert gotext.parse_int("-12") == -12
    assert gotext.parse_int(str(2**63 - 1)) == 2**63 - 1
    with pytest.raises(ValueError, match=r'ParseInt: parsing "1.5": invalid syntax'):
        gotext.parse_int("1.5")
    with pytest.raises(ValueError, match=r"value out of range"):
        gotext.parse_int(str(2**63))


def test_bool_error() -> None:
    with pytest.raises(ValueError, match=r'ParseBool: parsing "yes": invalid syntax'):
        gotext.parse_bool("yes")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (True, "1"),
        (-1, "-1"),
        (5.0, "5"),
        (0.1, "0.1"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1.305e-06, "1.305e-06"),
        (123456.789, "123456.789"),
        (262144, "262144"),
        (999999, "999999"),
        (999999.5, "999999.5"),
        (1000000, "1e+06"),
        (-1000000, "-1e+06"),
        (1260062, "1.260062e+06"),
        (1.5e15, "1.5e+15"),
        (9999999999999998, "9.999999999999998e+15"),
        (1e16, "1e+16"),
        (1e21, "1e+21"),
        (2**64 - 1, "1.8446744073709552e+19"),
        (1e100, "1e+100"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_number(value: float, expected: str) -> None:
    assert gotext.format_float(value) == expected


def strconv_g(value: float) -> str:
    """FormatFloat(value, 'g', -1, 64) from its rules: shortest digits, %e at 6."""
    # Of a power of two the digits that come back need not be the nearest ones.
    shortest = next(
        candidate
        for precision in range(1, 18)
        for rounding in (ROUND_HALF_EVEN, ROUND_UP, ROUND_DOWN)
        if float(candidate := Context(precision, rounding).create_decimal(value))
        == value
    )
    sign, numbers, _ = shortest.as_tuple()
    exponent = shortest.adjusted()
    mantissa = "".join(map(str, numbers)).rstrip("0") or "0"
    front = "-" if sign else ""
    if exponent < -4 or exponent >= 6:
        body = mantissa[0] + ("." + mantissa[1:] if len(mantissa) > 1 else "")
        return f"{front}{body}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{front}0.{'0' * (-exponent - 1)}{mantissa}"
    whole = mantissa[: exponent + 1].ljust(exponent + 1, "0")
    rest = mantissa[exponent + 1 :]
    return f"{front}{whole}{'.' + rest if rest else ''}"


@given(
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(-(2**64), 2**64).map(float),
        st.integers(0, 2**64 - 1).map(
            lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]
        ),
    ).filter(lambda v: math.isfinite(v) and v != 0),
)
@example(2.0**-24)
def test_number_against_the_rules_of_strconv(value: float) -> None:
    assert gotext.format_float(value) == strconv_g(value)
