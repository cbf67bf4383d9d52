from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from shipper.loki.encode import format_labels
from shipper.wire.labels import LabelError, parse_labels


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", ()),
        ("", ()),
        ('{a="b"}', (("a", "b"),)),
        ('{ b = "2" , a = "1", }', (("a", "1"), ("b", "2"))),
        ('{a="b", empty=""}', (("a", "b"),)),
        (r'{a="q\"\n\\\u00e9\x41"}', (("a", 'q"\n\\éA'),)),
        (r'{a="\xc3\xa9"}', (("a", "é"),)),
        ("{a='single', b=`raw\\n`}", (("a", "single"), ("b", "raw\\n"))),
        ('up{a="b"}', (("__name__", "up"), ("a", "b"))),
        ('{a="1", a="2"}', (("a", "1"), ("a", "2"))),
    ],
)
def test_parse(text: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert parse_labels(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{a.b="c"}', "1:3: parse error: unexpected character inside braces: '.'"),
        ('{a="b"', "1:7: parse error: unexpected end of input inside braces"),
        ('{a="b" c="d"}', ('1:8: parse error: unexpected identifier "c" in label set, '
         'expected "," or "}"')),
        ("{a=b}", ('1:4: parse error: unexpected identifier "b" in label set, '
         "expected string")),
        ('{="b"}', ('1:2: parse error: unexpected "=" in label set, expected '
         'identifier or "}"')),
        ('{a!="b"}', ('1:3: parse error: unexpected <op:!=> in label set, '
         'expected "="')),
        ('{a="b', "1:4: parse error: unterminated quoted string"),
        ('{a="\ufffd"}', "1:4: parse error: invalid UTF-8 rune"),
        ('{0a="b"}', "1:2: parse error: unexpected character inside braces: '0'"),
    ],
)  # fmt: skip
def test_parse_error(text: str, expected: str) -> None:
    with pytest.raises(LabelError) as caught:
        parse_labels(text)
    assert str(caught.value) == expected


NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: "\ufffd" not in text  # Go's lexer takes it for broken UTF-8
)


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_what_is_printed_is_read_back(labels: dict[str, str]) -> None:
    pairs = tuple(sorted(labels.items()))
    assert parse_labels(format_labels(pairs)) == pairs


@given(st.text())
def test_nothing_but_label_errors(text: str) -> None:
    with contextlib.suppress(LabelError):
        parse_labels(text)
