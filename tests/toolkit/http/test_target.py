from __future__ import annotations

from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.http.target import (
    clean_path,
    escape_non_ascii,
    escape_path,
    parse_query,
    parse_target,
    unescape,
)


@pytest.mark.parametrize(
    ("text", "path", "query"),
    [
        ("/metrics", "/metrics", ""),
        ("/metrics?a=b?c", "/metrics", "a=b?c"),
        ("/%6detrics", "/metrics", ""),
        ("/a#b", "/a#b", ""),
        ("//host/x", "//host/x", ""),
        ("*", "*", ""),
        ("http://host/metrics?x", "/metrics", "x"),
        ("http://u:p@host:1/%2f", "//", ""),
        ("http://[::1]:9100", "", ""),
        ("http://host?x=1", "", "x=1"),
        ("mailto:x", "", ""),
        ("http:/x", "/x", ""),
        ("/é", "/é", ""),
    ],
)
def test_targets(text: str, path: str, query: str) -> None:
    assert parse_target(text) == (path, query)


@pytest.mark.parametrize(
    "text",
    ["", "metrics", "/%", "/%zz", "http://host:x/", "http://a b/", "http://%/", ":x"],
)
def test_no_targets(text: str) -> None:
    with pytest.raises(ValueError, match="invalid"):
        parse_target(text)


def test_connect_may_name_a_host_alone() -> None:
    assert parse_target("host:443", connect=True) == ("", "")
    assert parse_target("/metrics", connect=True) == ("/metrics", "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("collect[]=cpu&collect[]=stat&x=", {"collect[]": ["cpu", "stat"], "x": [""]}),
        ("collect%5b%5d=a+b", {"collect[]": ["a b"]}),
        ("a;b&c;d=e&f=1", {"f": ["1"]}),
        ("a=%zz&%zz=b&c=d", {"c": ["d"]}),
        ("&&=1&a", {"": ["1"], "a": [""]}),
        ("a=b=c", {"a": ["b=c"]}),
        ("a=%ff", {"a": ["\udcff"]}),
    ],
)
def test_queries(text: str, found: dict[str, list[str]]) -> None:
    assert parse_query(text) == found


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("", "/"),
        ("/", "/"),
        ("//", "/"),
        ("//metrics", "/metrics"),
        ("/./metrics", "/metrics"),
        ("/x/../metrics", "/metrics"),
        ("/metrics/.", "/metrics"),
        ("/metrics//", "/metrics/"),
        ("/../..", "/"),
        ("/.hidden", "/.hidden"),
        ("/...", "/..."),
        ("//evil.example.org/%0d%0aX:", "/evil.example.org/%0d%0aX:"),
    ],
)
def test_clean_path(path: str, clean: str) -> None:
    assert clean_path(path) == clean
    assert clean_path(clean) == clean


@given(st.text())
def test_what_is_escaped_is_itself_again(text: str) -> None:
    assert unescape(escape_path(text)) == text
    assert unescape(quote(text)) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_location_has_no_byte_that_ends_a_header(text: str) -> None:
    escaped = escape_non_ascii(escape_path(text))
    assert escaped.isascii()
    assert escaped.isprintable()
    assert urlsplit(f"http://h/{escaped}").query == ""


@given(st.text())
def test_nothing_but_value_errors(text: str) -> None:
    parse_query(text)
    try:
        path, _ = parse_target(text)
    except ValueError:
        return
    assert path in {"", "*"} or path.startswith(("/", "%")) or "%" in text
