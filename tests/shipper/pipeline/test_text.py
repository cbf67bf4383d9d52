from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.regex import Regex
from shipper.pipeline.text import find, find_all, search, to_bytes, to_text


BYTES = st.binary(max_size=20)


@given(BYTES)
def test_bytes_survive(data: bytes) -> None:
    assert to_bytes(to_text(data)) == data


@given(BYTES)
def test_a_group_holds_the_bytes_it_caught(data: bytes) -> None:
    text = to_text(data)
    found = find(Regex("(?s)^(?P<first>.?)(?P<rest>.*)$"), text)
    assert found is not None
    assert found[0] == text
    assert (found["first"] or "") + (found["rest"] or "") == text
    assert len(found["first"] or "") == min(1, len(text))


def test_groups_of_a_line_with_bytes() -> None:
    found = find(Regex(r"a(?P<x>.)(?P<y>z)?(?P<x>\w?)b"), "ü a\udcffb")
    assert found is not None
    assert list(found.named()) == [("x", "\udcff"), ("y", None), ("x", "")]
    assert found.expand("${x}-$0") == "\udcff-a\udcffb"
    assert find(Regex("^a"), "\udcff") is None


def test_a_byte_is_one_character_for_a_pattern() -> None:
    assert search(Regex("^a.b$"), "a\udcffb")
    assert not search(Regex("^ab$"), "a\udcffb")


@pytest.mark.parametrize(
    ("pattern", "text", "spans"),
    [
        ("a|b", "xab", [((1, 2),), ((2, 3),)]),
        ("(x)?(y)", "xyy", [((0, 2), (0, 1), (1, 2)), ((2, 3), (-1, -1), (2, 3))]),
        # Go's rule: no empty match right behind another one.
        ("a*", "baac", [((0, 0),), ((1, 3),), ((4, 4),)]),
        ("x*", "é日", [((0, 0),), ((1, 1),), ((2, 2),)]),
        ("^a", "aaa", [((0, 1),)]),
        (r"\b", "ab c", [((0, 0),), ((2, 2),), ((3, 3),), ((4, 4),)]),
        ("b", "é\udcffb日b", [((2, 3),), ((4, 5),)]),
        ("x", "", []),
        ("", "", [((0, 0),)]),
    ],
)
def test_find_all(pattern: str, text: str, spans: list[object]) -> None:
    assert find_all(Regex(pattern), text) == spans


@given(st.text("ab \udcff é日", max_size=12))
def test_find_all_agrees_with_python_where_both_have_one_meaning(text: str) -> None:
    expected = [m.span() for m in re.finditer(r"a+|é|[日b]", text)]
    assert [spans[0] for spans in find_all(Regex("a+|é|[日b]"), text)] == expected
