from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.pipeline.logfmt import LogfmtError, parse


def read(text: str) -> tuple[list[tuple[str, str]], str]:
    """Return the pairs and the mistake at the end."""
    pairs = []
    try:
        for pair in parse(text):
            pairs.append(pair)  # noqa: PERF402 - what came before the error counts
    except LogfmtError as error:
        return pairs, str(error)
    return pairs, ""


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        (" \t ", []),
        ("a", [("a", "")]),
        ("a= b", [("a", ""), ("b", "")]),
        ('a=1 b="x y"c=3', [("a", "1"), ("b", "x y"), ("c", "3")]),
        ('a=""', [("a", "")]),
        (r'a="\"\\\/\b\f\n\r\tü"', [("a", '"\\/\b\f\n\r\tü')]),
        (r'a="\ud83d\ude00\ud83d."', [("a", "😀\ufffd.")]),
        ("a=1\nb=2\r\nc", [("a", "1"), ("b", "2"), ("c", "")]),
        ("é=ü\xa0x", [("é", "ü\xa0x")]),
        ("a=\udcff", [("a", "\udcff")]),
        ('a="\udcff\\n"', [("a", "\ufffd\n")]),
    ],
)
def test_pairs(text: str, pairs: list[tuple[str, str]]) -> None:
    assert read(text) == (pairs, "")


@pytest.mark.parametrize(
    ("text", "found", "mistake"),
    [
        ("a=1 =", 1, "at pos 5 on line 1: unexpected '='"),
        ('a=1 b"', 1, "at pos 6 on line 1: unexpected '\"'"),
        ("a=1=2", 0, "at pos 4 on line 1: unexpected '='"),
        ('a=1 b=x"y', 1, "at pos 8 on line 1: unexpected '\"'"),
        ('a="x', 0, "at pos 5 on line 1: unterminated quoted value"),
        ('a="x\\', 0, "at pos 6 on line 1: unterminated quoted value"),
        ('a=1\nb="\\x"', 1, "at pos 7 on line 2: invalid quoted value"),
        ('a="\\u00g0"', 0, "at pos 11 on line 1: invalid quoted value"),
        ('a="\t\\n"', 0, "at pos 8 on line 1: invalid quoted value"),
        ("a=1 \udcff=2", 1, "at pos 6 on line 1: invalid key"),
        ("\ufffd", 0, "at pos 2 on line 1: invalid key"),
    ],
)
def test_what_is_in_front_of_a_mistake_counts(
    text: str, found: int, mistake: str
) -> None:
    pairs, error = read(text)
    assert len(pairs) == found
    assert error == f"logfmt syntax error {mistake}"


@given(st.text('a="\\ \n\udcffüu0', max_size=30))
def test_raises_nothing_else(text: str) -> None:
    read(text)


@given(
    st.dictionaries(
        st.from_regex(r"[a-zü_.-]+", fullmatch=True),
        st.text(st.characters(exclude_characters='"\\\n', exclude_categories=["Cs"])),
    )
)
def test_reads_what_was_quoted(pairs: dict[str, str]) -> None:
    line = " ".join(f'{key}="{value}"' for key, value in pairs.items())
    expected = {k: v for k, v in pairs.items()}  # noqa: C416 - a copy to compare
    assert dict(parse(line)) == expected
