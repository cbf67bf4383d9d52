from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from exporters.node.storage.hprint import parse_bcache, parse_bcachefs


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("711", 711),
        ("1.9", 1),
        ("4.0k", 4096),
        ("-4.0k", -4096),
        ("-512", -512),
        # .10 is more than .9: the fraction counts up to 1023
        ("1.9k", int((1 + 9 / 10.24) * 1024)),
        ("1.10k", int((1 + 10 / 10.24) * 1024)),
        ("3M", 3 << 20),
        ("2G", 2 << 30),
        ("5T", 5 << 40),
        ("6P", 6 << 50),
        ("7E", 7 << 60),
        ("8Z", 8 << 70),
        ("9Y", 9 << 80),
    ],
)
def test_bcache(text: str, number: int) -> None:
    assert parse_bcache(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("720", 720),
        ("1.26k", 1290),
        ("1.26K", 1290),
        (" 1.5 k\n", 1536),
        ("2.05G", int(2.05 * 2**30)),
        ("226G", 226 << 30),
        ("10.8T", int(10.8 * 2**40)),
        ("1E", 1 << 60),
    ],
)
def test_bcachefs(text: str, number: int) -> None:
    assert parse_bcachefs(text) == number


@pytest.mark.parametrize("parse", [parse_bcache, parse_bcachefs])
@pytest.mark.parametrize(
    "text",
    ["", "k", "-", "1.", ".5", "1,5k", "1x", "1kk", "nan", "1e9", "٣k", "9" * 21],
)
def test_what_is_no_number(parse: Callable[[str], int], text: str) -> None:
    with pytest.raises(ValueError, match="expected a number such as"):
        parse(text)


@given(st.text() | st.from_regex(r"-?[0-9]*\.?[0-9]*[kMGTPEZY]?", fullmatch=True))
def test_rubbish_raises_only_value_error(text: str) -> None:
    for parse in (parse_bcache, parse_bcachefs):
        with contextlib.suppress(ValueError):
            parse(text)
