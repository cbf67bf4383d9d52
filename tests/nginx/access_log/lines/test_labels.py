"""Which labels there are, and their values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.access_log.lines.json_line import JsonReader
from exporters.nginx.access_log.lines.labels import Labels
from exporters.nginx.access_log.lines.relabel import MAX_CHARACTERS, host_rule, rule
from exporters.nginx.access_log.lines.replace import MAX_MATCHES, Replacement
from exporters.nginx.access_log.settings import Match, Relabeling, Settings
from exporters.toolkit.errors import StartError


def _labels(settings: Settings, **line: object) -> dict[str, str]:
    labels = Labels(settings)
    found = JsonReader(labels.rules).read(json.dumps(line).encode())
    assert found is not None
    return labels.counted_labels(labels.values(*found))


@pytest.mark.parametrize(
    ("line", "method", "status"),
    [
        ({"request": "GET / HTTP/1.1", "status": "200"}, "GET", "200"),
        ({"method": "POST", "status": 404}, "POST", "404"),
        ({"request_method": "PUT", "request": "GET /", "status": "000"}, "PUT", "000"),
        ({"request": "PROPFIND / HTTP/1.1", "status": "009"}, "other", "009"),
        ({"request": "", "status": ""}, "other", "other"),
        ({"request": "\x16\x03\x01", "status": "20"}, "other", "other"),
        ({"method": "get", "status": "2000"}, "other", "other"),
        ({"method": "GET ", "status": "-"}, "GET", "other"),
        ({"status": "\u0662\u0660\u0660"}, "", "other"),
        ({"method": None, "status": {"a": 1}}, "", ""),
        ({}, "", ""),
    ],
)
def test_method_and_status(line: dict[str, object], method: str, status: str) -> None:
    assert _labels(Settings(), **line) == {"method": method, "status": status}


def test_a_missing_field_is_not_that_of_the_line_before() -> None:
    labels = Labels(Settings())
    reader = JsonReader(labels.rules)
    full = reader.read(b'{"method":"GET","status":"200"}')
    bare = reader.read(b'{"method":"GET"}')
    assert full is not None
    assert bare is not None
    assert labels.values(*full) == ("GET", "200")
    assert labels.values(*bare) == ("GET", "")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example.org", "example.org"),
        ("EXAMPLE.org:8080", "example.org"),
        ("example.org.", "example.org"),
        ("[::1]:80", "[::1]"),
        ("evil.example", "other"),
        ("", "other"),
    ],
)
def test_host(host: str, expected: str) -> None:
    assert host_rule(("Example.org", "[::1]")).map(host) == expected


def test_a_host_is_a_label_only_with_an_allow_list() -> None:
    line = {"host": "a.example", "status": "200", "method": "GET"}
    assert "host" not in _labels(Settings(), **line)
    assert _labels(Settings(hosts=("b.example",)), **line)["host"] == "other"
    assert _labels(Settings(hosts=("a.example",)), **line)["host"] == "a.example"


USERS = Match("^/users/[0-9]+", "/users/:id")
GROUPS = Match("^/(users|profiles)/[0-9]+", "/$1/:id")


@pytest.mark.parametrize(
    ("relabeling", "value", "expected"),
    [
        (Relabeling("l", "f"), "any thing", "any thing"),
        (Relabeling("l", "f", split=2), "foo bar", "bar"),
        (Relabeling("l", "f", split=3), "foo bar", ""),
        (Relabeling("l", "f", split=2, separator="/"), "a/b/c", "b"),
        (Relabeling("l", "f", split=2, separator=""), "a b", "b"),
        (Relabeling("l", "f", split=2), "a  b", ""),
        (
            Relabeling("l", "f", 2, matches=(USERS,)),
            "GET /users/1 HTTP/1",
            "/users/:id",
        ),
        (Relabeling("l", "f", matches=(USERS,)), "/users/12/about", "/users/:id/about"),
        (Relabeling("l", "f", matches=(USERS,)), "/v1/users/12", ""),
        (Relabeling("l", "f", matches=(GROUPS,)), "/profiles/7", "/profiles/:id"),
        (Relabeling("l", "f", matches=(USERS, Match(".+", "x"))), "/y", "x"),
        (Relabeling("l", "f", matches=(Match("a", "b"), Match("b", "c"))), "a", "b"),
        (Relabeling("l", "f", whitelist=("a", "b")), "b", "b"),
        (Relabeling("l", "f", whitelist=("a", "b")), "c", "other"),
        (Relabeling("l", "f", 1, whitelist=("a",), matches=(USERS,)), "a b", "a"),
        (Relabeling("l", "f"), "x" * 9000, "x" * MAX_CHARACTERS),
        (Relabeling("l", "f"), "\ud800", "\ufffd"),
    ],
)
def test_relabeling(relabeling: Relabeling, value: str, expected: str) -> None:
    assert rule(relabeling).map(value) == expected
    assert rule(relabeling).map(value) == expected  # remembered


# The results are those of Go 1.19's Regexp.ReplaceAllString.
@pytest.mark.parametrize(
    ("pattern", "template", "text", "expected"),
    [
        ("a", "x", "banana", "bxnxnx"),
        ("", "-", "abc", "-a-b-c-"),
        ("a*", "-", "baac", "-b-c-"),
        ("b*", "-", "ä", "-ä-"),
        ("^a", "x", "aa", "xa"),
        (r"\bb", "x", "ab b", "ab x"),
        ("(?P<n>.)b", "${n}$n_$$1", "ab", "a$1"),
        ("(a)(b)?", "[$1$2$3]", "aab", "[a][ab]"),
        ("é", "e", "été", "ete"),
        ("$", "!", "ab", "ab!"),
    ],
)
def test_replace(pattern: str, template: str, text: str, expected: str) -> None:
    assert Replacement(pattern, template).apply(text) == expected


def test_replace_without_a_match() -> None:
    assert Replacement("a", "x").apply("b") is None


def test_matches_are_bounded() -> None:
    replaced = Replacement("[0-9]", "#").apply("1" * 100_000)
    assert replaced == "#" * MAX_MATCHES + "1" * (100_000 - MAX_MATCHES)


@given(st.text(max_size=MAX_MATCHES))
def test_replacing_all_by_itself_changes_nothing(text: str) -> None:
    clean = text.encode("utf-8", "replace").decode()
    assert Replacement(r"(?s)(.|\n)", "$1").apply(clean) in {clean, None}


def test_the_first_of_a_name_counts() -> None:
    classes = Relabeling("status", "status", matches=(Match("^(.)..$", "${1}xx"),))
    second = Relabeling("status", "host")
    settings = Settings(relabel_configs=(classes, second))
    labels = _labels(settings, method="GET", status=404, host="a")
    assert labels == {"method": "GET", "status": "4xx"}


def test_labels_of_the_count_alone() -> None:
    uri = Relabeling("uri", "uri", only_counter=True)
    labels = Labels(Settings(labels={"app": "a"}, relabel_configs=(uri,)))
    assert labels.counted_labels(("/", "GET", "200")) == {
        "app": "a",
        "uri": "/",
        "method": "GET",
        "status": "200",
    }
    measured = labels.measured(("/", "GET", "200"))
    assert labels.measured_labels(measured) == {
        "app": "a",
        "method": "GET",
        "status": "200",
    }


@pytest.mark.parametrize("name", ["", "1a", "a-b", "__a", "le", "quantile", "ä"])
def test_no_label_name(name: str) -> None:
    with pytest.raises(StartError, match="cannot be a label"):
        Labels(Settings(relabel_configs=(Relabeling(name, "f"),)))
    with pytest.raises(StartError, match="cannot be a label"):
        Labels(Settings(labels={name: "x"}))


@pytest.mark.parametrize(
    "settings",
    [
        Settings(labels={"method": "x"}),
        Settings(const_labels={"status": "x"}),
        Settings(const_labels={"a": "x"}, labels={"a": "y"}),
        Settings(labels={"host": "x"}, hosts=("a",)),
    ],
)
def test_a_label_is_set_once(settings: Settings) -> None:
    with pytest.raises(StartError, match="is set twice"):
        Labels(settings)


def test_a_bad_pattern_is_said_at_the_start() -> None:
    bad = Relabeling("l", "f", matches=(Match("(", ""),))
    with pytest.raises(StartError, match=r"label 'l': .* missing closing \): `\(`"):
        Labels(Settings(relabel_configs=(bad,)))
