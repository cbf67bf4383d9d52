from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.accept import parse_accept


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ("text/plain", ["text/plain"]),
        (" text/plain , a/b ", ["text/plain", "a/b"]),
        ("*", ["*/*"]),
        ("text", []),  # no subtype
        ("a/b/c", []),
        ("a/b/", ["a/b"]),
        ("a/b;q=0.1,c/d;q=0.9", ["c/d", "a/b"]),
        ("a/b;q=0.5,c/d;q=0.5", ["a/b", "c/d"]),  # equal: as they are written
        ("*/*,a/b;q=0.1", ["a/b", "*/*"]),  # a wildcard stands last
        ("a/*,a/b;q=0.1", ["a/b", "a/*"]),
        ("a/b;q=x,c/d;q=0.1", ["c/d", "a/b"]),  # what is no number is 0
        ("a/b;q= 0.9,c/d;q=0.1", ["c/d", "a/b"]),  # nor is this one, to Go
        ("a/b;q=nan,c/d;q=0.1", ["c/d", "a/b"]),
        (",;q=1,", []),
    ],
)
def test_order(header: str, expected: list[str]) -> None:
    assert [clause.media for clause in parse_accept(header)] == expected


def test_parameters() -> None:
    (clause,) = parse_accept("a/b; version=1 ;x=;y==z;q=0.5; w=1= ; v")
    assert clause.parameters == {"version": "1", "q": "0.5"}
    assert clause.quality == 0.5


def test_many_clauses_are_sorted_too() -> None:
    header = ",".join(f"a/b{n};q={n / 1000}" for n in range(500))
    found = [clause.quality for clause in parse_accept(header)]
    assert found == sorted(found, reverse=True)
    assert len(found) == 500


@given(st.text(st.sampled_from("abq=;,/*. 01"), max_size=60))
def test_a_header_may_be_anything(header: str) -> None:
    for clause in parse_accept(header):
        assert not math.isnan(clause.quality)
        assert "," not in clause.media
