from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.config.expand_env import ExpandError, expand_env


ENVIRON = {"FOO": "bar", "PATHS": "/usr/local/lib", "MIX": "aBc", "E": "", "I": "1"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${FOO}${NOPE:-dflt}$$x", "bardflt$x"),  # tried against promtail
        ("$FOO $ {FOO}", "$FOO $ {FOO}"),
        ("${FOO:-x}${E:-x}${E:=y}${E=z}", "barxyz"),
        ("${NOPE:+yes}${NOPE:?err}${FOO:+yes}", "yeserrbar"),
        ("${NOPE}", ""),
        ("$${1}", "${1}"),
        ("$$${FOO}", "$bar"),
        (r"a\\b\/c\d", r"a\b/c\d"),
        ("${NOPE:-a ${FOO} b}", "a bar b"),
        ("${NOPE:-}", ""),
        ("${NOPE:-$$}", "$$"),
        ("${MIX^^}${MIX,,}${MIX^}${MIX,}", "ABCabcABcaBc"),
        ("${#PATHS}", "14"),
        ("${PATHS:4}|${PATHS:0:4}|${PATHS:-3}", "/local/lib|/usr|/usr/local/lib"),
        ("${PATHS:4:x}|${PATHS:99}|${FOO:1:1}", "/usr/local/lib||a"),
        ("${PATHS#*/}|${PATHS##*/}", "usr/local/lib|lib"),
        ("${PATHS%/*}|${PATHS%%/*}", "/usr/local|"),
        ("${PATHS#/u?r}|${FOO#[a-c]}|${FOO#[}", "/local/lib|ar|bar"),
        ("${PATHS/l/L}|${PATHS//l/L}", "/usr/Local/lib|/usr/LocaL/Lib"),
        ("${PATHS/#\\/usr/U}|${PATHS/%lib/L}|${FOO/a/}", "U/local/lib|/usr/local/L|br"),
        ("${FOO/#b/}", "bar"),
    ],
)
def test_expansions(text: str, expanded: str) -> None:
    assert expand_env(text, ENVIRON) == expanded


@pytest.mark.parametrize(
    ("text", "error", "offset"),
    [
        ("a ${X-y}", "missing closing brace", 2),
        ("${", "unable to parse variable name", 0),
        ("${}", "unable to parse variable name", 0),
        ("x${FOO", "missing closing brace", 1),
        ("${FOO:-x", "unable to parse substitution within function", 0),
        ("${FOO:}", "unable to parse substitution within function", 0),
        ("${FOO#}", "unable to parse substitution within function", 0),
        ("${FOO/a}", "unable to parse substitution|bad substitution", 0),
        ("${#}", "bad substitution", 0),
        ("${FOO^^^}", "bad substitution", 0),
        ("${FOO:1:-1}", "bad substitution", 0),
        ("${A:-" * 60 + "}" * 60, "nested too deeply", 0),
    ],
)
def test_errors(text: str, error: str, offset: int) -> None:
    with pytest.raises(ExpandError, match=error) as caught:
        expand_env(text, ENVIRON)
    assert caught.value.offset == offset


@given(st.text("${}#%/:-^,=\\*[FO a1", max_size=24))
def test_nothing_else_is_raised(text: str) -> None:
    place = 0
    try:
        expand_env(text, ENVIRON)
    except ExpandError as error:
        place = error.offset
    assert place == 0 or text.startswith("${", place)


@given(st.text("abc $-_é\n", max_size=20).filter(lambda text: "$$" not in text))
def test_text_without_braces_stays(text: str) -> None:
    assert expand_env(text, ENVIRON) == text
