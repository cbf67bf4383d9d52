from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from shipper.files.glob import MAX_ALTERNATIVES, Glob, GlobError, alternatives


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/var/log/*.log", "/var/log/a.log", True),
        ("/var/log/*.log", "/var/log/.log", True),
        ("/var/log/*.log", "/var/log/.hidden.log", True),
        ("/var/log/*.log", "/var/log/sub/a.log", False),
        ("/var/log/*.log", "/var/log/a.logs", False),
        ("/var/log/**/*.log", "/var/log/a.log", True),
        ("/var/log/**/*.log", "/var/log/x/y/a.log", True),
        ("/var/log/**/*.log", "/var/logs/a.log", False),
        ("/var/log/**.log", "/var/log/x/a.log", False),
        ("/var/log/**.log", "/var/log/a.log", True),
        ("/var/log/**", "/var/log/x/y", True),
        ("/var/log/**", "/var/log", True),
        ("/**/log", "/log", True),
        ("/**/**/a", "/x/a", True),
        ("/a/**/b/**/c", "/a/b/c", True),
        ("/a/**/b/**/c", "/a/x/b/y/z/c", True),
        ("/a/**/b/**/c", "/a/x/c", False),
        ("/a?c", "/abc", True),
        ("/a?c", "/a/c", False),
        ("/a?c", "/aéc", True),
        ("/a[a-c]", "/ab", True),
        ("/a[a-c]", "/ad", False),
        ("/a[!a-c]", "/ad", True),
        ("/a[^a-c]", "/ab", False),
        ("/a[!b]c", "/a/c", False),
        ("/a[c-a]", "/ab", False),
        ("/a[a-]", "/a-", True),
        ("/a[\\]]", "/a]", True),
        ("/a[\\a-c]", "/ab", True),
        ("/a[.]b", "/axb", False),
        ("/a{b,c}", "/ab", True),
        ("/a{b,c}", "/ad", False),
        ("/a{,b}", "/a", True),
        ("/{a,b/{c,d}}/x", "/b/d/x", True),
        ("/{a,b/{c,d}}/x", "/b/x", False),
        ("/a{b}", "/ab", True),
        ("/a\\{b,c\\}", "/a{b,c}", True),
        ("/a\\*", "/a*", True),
        ("/a\\*", "/ab", False),
        ("/a[{]b", "/a{b", True),
        ("/a.b", "/axb", False),
        ("/a//b/./c/../*", "/a/b/x", True),
        ("/a/*/", "/a/b", True),
        ("//a", "/a", True),
        ("/a\nb*", "/a\nbc", True),
        ("/*", "/a\nb", True),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert Glob(pattern).match(path) is matches


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("/a[", "a '[' without its ']'"),
        ("/a[]", "nothing between '[' and ']'"),
        ("/a[!]", "nothing between '[' and ']'"),
        ("/a[b", "a '[' without its ']'"),
        ("/a[\\", "a '[' without its ']'"),
        ("/a\\", "nothing follows the last '\\\\'"),
        ("/a{b", "a '{' without its '}'"),
        ("/a{b,{c}", "a '{' without its '}'"),
        ("/a\0", "a NUL is no part of a path"),
        ("/" + "{a,b}" * 12, f"more than {MAX_ALTERNATIVES} alternatives"),
    ],
)
def test_malformed(pattern: str, reason: str) -> None:
    with pytest.raises(GlobError, match=reason.replace("[", r"\[")):
        Glob(pattern)


def test_relative(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    odd = tmp_path / "a{b}[c]*"
    odd.mkdir()
    monkeypatch.chdir(odd)
    assert Glob("*.log").match(f"{odd}/x.log")
    assert not Glob("*.log").match(f"{tmp_path}/ab/x.log")


def test_alternatives_keep_their_order() -> None:
    assert alternatives("{a,b{c,d}}{,e}") == ["a", "ae", "bc", "bce", "bd", "bde"]


def reference(pattern: str, path: str) -> bool:
    """Match by trying everything, as the definition says it; no regular expressions."""
    if "{" in pattern:
        opening = pattern.rindex("{")  # the innermost: its brace is the next
        closing = pattern.index("}", opening)
        head, tail = pattern[:opening], pattern[closing + 1 :]
        options = pattern[opening + 1 : closing].split(",")
        return any(reference(head + option + tail, path) for option in options)
    names = os.path.normpath(pattern).lstrip("/").split("/")
    return tree(names, path[1:].split("/"))


def tree(names: list[str], path: list[str]) -> bool:
    if not names:
        return not path
    if names[0] == "**":
        return any(tree(names[1:], path[skip:]) for skip in range(len(path) + 1))
    return bool(path) and name(names[0], path[0]) and tree(names[1:], path[1:])


def name(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(name(pattern[1:], text[skip:]) for skip in range(len(text) + 1))
    if not text:
        return False
    if pattern[0] == "[":
        members, _, rest = pattern[1:].partition("]")
        wanted = members.strip("!")
        return (text[0] in wanted) is (members[0] != "!") and name(rest, text[1:])
    return pattern[0] in {"?", text[0]} and name(pattern[1:], text[1:])


atoms = st.sampled_from(["a", "b", ".", "*", "?", "[ab]", "[!a]", "[!.b]"])
words = st.lists(atoms, min_size=1, max_size=4).map("".join)
optional = st.tuples(words, words).map(lambda pair: f"{{{pair[0]},{pair[1]}}}")
deep = st.tuples(optional, words).map(lambda pair: f"{{{pair[0]},{pair[1]}/*}}")
segments = st.one_of(st.just("**"), words, optional, deep, st.just("{**,a}"))
patterns = st.lists(segments, min_size=1, max_size=4).map(lambda s: "/" + "/".join(s))
names = st.text("ab.", min_size=1, max_size=4).filter(lambda n: n not in {".", ".."})
paths = st.lists(names, min_size=1, max_size=5).map(lambda s: "/" + "/".join(s))


@given(patterns, paths)
def test_as_the_reference(pattern: str, path: str) -> None:
    assert Glob(pattern).match(path) is reference(pattern, path)


@given(st.text("a/*?[]{}!,\\-^", max_size=20))
def test_nothing_but_a_clean_error(pattern: str) -> None:
    try:
        Glob("/" + pattern).match("/a/b")
    except GlobError as error:
        assert "\n" not in str(error)  # noqa: PT017  # an error is not required
