from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.escaping import Escaping, escape_name, is_legal, legal_name


@pytest.mark.parametrize(
    ("name", "underscores", "dots", "values"),
    [
        ("", "", "", ""),
        ("node_load1", "node_load1", "node_load1", "node_load1"),
        ("a:b", "a:b", "a:b", "a:b"),
        ("a.b_c", "a_b_c", "a_dot_b__c", "U__a_2e_b__c"),
        ("1st", "_st", "__st", "U___31_st"),
        ("ä-b", "__b", "____b", "U___e4__2d_b"),
        ("\udcff", "_", "__", "U___fffd_"),
    ],
)
def test_schemes(name: str, underscores: str, dots: str, values: str) -> None:
    assert escape_name(name, Escaping.UNDERSCORES) == underscores
    assert escape_name(name, Escaping.DOTS) == dots
    assert escape_name(name, Escaping.VALUES) == values
    assert escape_name(name, Escaping.UTF8) == name
    assert legal_name(name) == underscores


@given(st.text(min_size=1), st.sampled_from(Escaping))
def test_what_is_escaped_is_legal_and_stays_as_it_is(
    name: str, escaping: Escaping
) -> None:
    escaped = escape_name(name, escaping)
    assert is_legal(escaped) or escaping is Escaping.UTF8
    assert escape_name(escaped, escaping) == escaped
