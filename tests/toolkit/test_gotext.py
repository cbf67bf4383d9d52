from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

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
