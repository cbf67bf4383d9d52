from __future__ import annotations

import re

from hypothesis import example, given, strategies as st

from exporters.nginx.probe.globs import matches, matches_parts


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
@example("a*a", "a")
@example("**", "")
def test_as_a_regular_expression(pattern: str, text: str) -> None:
    wanted = ".*".join(map(re.escape, pattern.split("*")))
    assert matches(pattern, text) is bool(re.fullmatch(wanted, text))


def test_many_stars_take_no_time() -> None:
    """As a regular expression this takes longer than there is."""
    assert not matches("*a" * 30 + "b", "a" * 2000)


def test_never_across_a_separator() -> None:
    assert matches_parts("*.example.com", "web1.example.com", ".")
    assert not matches_parts("*.example.com", "a.b.example.com", ".")
    assert not matches_parts("*.example.com", "example.com", ".")
    assert not matches_parts("*", "a.b", ".")
