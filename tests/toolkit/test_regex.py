from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit import regex
from exporters.toolkit.errors import StartError
from exporters.toolkit.regex import Regex, RegexError


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(", "missing closing ): `(`"),
        ("a)", "unexpected ): `a)`"),
        ("[a", "missing closing ]: `[a`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("(?=x)", "invalid or unsupported Perl syntax: `(?=`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("a\\", "trailing backslash at end of expression: ``"),
        ("(?P<n", "invalid named capture: `(?P<n`"),
        ("(?P<é>a)", "invalid named capture: `(?P<é>`"),
        (r"\1", r"invalid escape sequence: `\1`"),
        (r"x\Cy", r"invalid escape sequence: `\C`"),
        ("\ud800", r"invalid UTF-8: `'\ud800'`"),
    ],
)
def test_error_text_is_gos(pattern: str, text: str) -> None:
    with pytest.raises(StartError, match=re.escape(f"error parsing regexp: {text}")):
        Regex(pattern)


def test_errors_are_not_also_written_to_stderr(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(RegexError):
        Regex("(")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("b", "abc", True),
        ("c$", "abc\n", False),  # Go's $ is the very end
        (r"\d", "٣", False),  # ASCII classes
        (r"\s", "\v", False),
        (r"(?i)ABC", "xabcx", True),
        (r"\\C", r"\C", True),
        (r"\Q\C\E", r"\C", True),
        (r"[\\C]", "C", True),
        (r"\x{263a}", "☺", True),
        (r"\pL\z", "é", True),
        ("", "", True),
    ],
)
def test_search(pattern: str, text: str, found: bool) -> None:
    assert Regex(pattern).search(text) is found
    assert Regex(pattern).search(text.encode()) is found


def test_a_bad_byte_is_one_replacement_character_as_in_go() -> None:
    assert Regex("^a.b$").search(b"a\xffb")
    assert Regex("^a..b$").search(b"a\xff\xfeb")
    assert not Regex("^a.b$").search(b"a\xff\xfeb")
    match = Regex("a(.+)b").find("é".encode() + b"a\xff\xc3bz")
    assert match is not None
    assert match.values() == (b"a\xff\xc3b", b"\xff\xc3")


def test_lone_surrogates_do_not_raise() -> None:
    match = Regex("a(.)").find("é\ud800a\ud800")
    assert match is not None
    assert match[1] == "\ufffd"


def test_fullmatch_is_anchored_around_alternatives() -> None:
    pattern = Regex("a|ab")
    assert pattern.matches("ab")
    assert pattern.matches(b"ab")
    assert not pattern.matches("abc")
    match = pattern.fullmatch("ab")
    assert match is not None
    assert match[0] == "ab"
    assert pattern.fullmatch("b") is None


def test_match_is_anchored_at_the_start_only() -> None:
    match = Regex("a+").match("aab")
    assert match is not None
    assert match[0] == "aa"
    assert Regex("a+").match("baa") is None


def test_groups_by_number_and_name() -> None:
    match = Regex(r"(?P<method>\w+) (?<path>\S+)(?: (x))?").find("GET /é")
    assert match is not None
    assert len(match) == 4
    assert match["method"] == "GET"
    assert match["path"] == match[2] == "/é"
    assert match[3] is None
    assert list(match.named()) == [("method", "GET"), ("path", "/é")]
    for key in ("other", "", 4, -1):
        with pytest.raises(KeyError):
            match[key]


def test_every_group_of_a_repeated_name_is_kept() -> None:
    pattern = Regex(r"(?:(?P<n>a)|(?P<n>b))([(]\()?\(?")
    assert pattern.names == ("", "n", "n", "")
    match = pattern.find("b")
    assert match is not None
    assert match["n"] == "b"  # the first that took part
    assert list(match.named()) == [("n", None), ("n", "b")]


@pytest.mark.parametrize(
    ("template", "expanded"),
    [
        ("$1-${2}", "k-v"),
        ("$key=$value", "k=v"),
        ("${key}x", "kx"),
        ("$1x", ""),  # the group named 1x
        ("${1}x", "kx"),
        ("$0", "k:v"),
        ("$$1", "$1"),
        ("$", "$"),
        ("${", "${"),
        ("${a-b}", "${a-b}"),
        ("a$ b", "a$ b"),
        ("$3$99$nope", ""),
        ("$01", ""),
        ("é$1é", "éké"),
    ],
)
def test_expand(template: str, expanded: str) -> None:
    pattern = Regex("(?P<key>k):(?P<value>v)(w)?")
    match = pattern.fullmatch("k:v")
    assert match is not None
    raw = pattern.fullmatch(b"k:v")
    assert raw is not None
    if template == "é$1é":
        template = "é${1}é"  # Go reads $1é as the group named 1é
    assert pattern.expand(template, match) == expanded
    assert raw.expand(template) == expanded.encode()


def test_expand_reads_letters_of_any_script_as_part_of_the_name() -> None:
    match = Regex("(k)").find("k")
    assert match is not None
    assert match.expand("$1é") == ""


def test_patterns_compare_by_their_text() -> None:
    assert Regex("a") == Regex("a")
    assert Regex("a") != Regex("b")
    assert len({Regex("a"), Regex("a")}) == 1
    assert repr(Regex("a")) == "Regex('a')"


@given(
    st.from_regex(r"([ab.]|\(a\)|\(b\|é\))[*+?]?" * 3, fullmatch=True),
    st.text("abé", max_size=12),
)
def test_public_api_of_the_binding_finds_the_same_spans(
    pattern: str, text: str
) -> None:
    compiled = regex._compile(pattern)
    raw, public = regex._raw_match(compiled), regex._public_match(compiled)
    assert raw.__qualname__ != public.__qualname__, "google-re2 changed its insides"
    for anchor in ("unanchored", "start", "both"):
        assert raw(anchor, text.encode()) == public(anchor, text.encode())


@given(st.text(max_size=20))
def test_no_pattern_raises_anything_but_regex_error(pattern: str) -> None:
    error = ""
    try:
        Regex(pattern)
    except RegexError as raised:
        error = str(raised)
    assert not error or error.startswith("error parsing regexp: ")


@given(st.binary(max_size=30), st.text(max_size=10))
def test_no_text_raises(data: bytes, text: str) -> None:
    pattern = Regex("(.)(.*)")
    for match in (pattern.find(data), pattern.find(text)):
        assert match is None or len(match.values()) == 3
    found = Regex("(?s)(.*)").find(data)
    assert found is not None
    assert found[1] == data
