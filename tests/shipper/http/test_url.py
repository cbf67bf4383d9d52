from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.http.url import is_address, joined, read_url, without_dots


@pytest.mark.parametrize(
    ("text", "authority", "target"),
    [
        ("http://loki:3100/loki/api/v1/push", "loki:3100", "/loki/api/v1/push"),
        ("https://a", "a", "/"),
        ("https://a:443?x=a/b", "a", "/?x=a/b"),
        ("http://a:443/", "a:443", "/"),
        ("http://A.Example./x#y", "a.example", "/x"),
        ("http://h/a%2Fb?key=a%2Fb", "h", "/a%2Fb?key=a%2Fb"),
        ("http://h/größe?ü", "h", "/gr%C3%B6%C3%9Fe?%C3%BC"),
        ("http://h/a b", "h", "/a%20b"),
        ("http://größe.de/", "xn--gre-6ka8i.de", "/"),
        ("http://[::1]:3100/", "[::1]:3100", "/"),
        ("http://[FE80:0::1%25eth0]/", "[fe80::1]", "/"),
    ],
)
def test_what_is_asked(text: str, authority: str, target: str) -> None:
    url = read_url(text)
    assert (url.authority, url.target) == (authority, target)


def test_a_zone_is_for_the_socket_alone() -> None:
    url = read_url("http://[fe80::1%25eth0]:1/")
    assert url.host == "fe80::1%eth0"
    assert (url.name, url.place) == ("fe80::1", "[fe80::1]:1")


def test_a_login_is_a_header_and_shown_nowhere() -> None:
    url = read_url("http://me:p%40%C3%9F@h:1/x?y")
    assert url.authorization == "Basic bWU6cEDDnw=="
    assert str(url) == "http://h:1/x?y"
    assert "bWU6" not in repr(url)
    assert (url.path, url.query) == ("/x", "?y")


@pytest.mark.parametrize(
    "text",
    [
        "", "h", "ftp://h/", "http://", "http:///x", "http://:80", "http://h:x/",
        "http://h:99999/", "http://h:0/", "http://[", "http://[::1", "http://[x]/",
        "http://a b/", "http://a|b/", "http://h/\r\nX: y", "http://h\n/", "//h/",
        "http://\udcff/",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - no words for a person
        read_url(text)


BASE = read_url("http://u:p@h:1/a/b?c")


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("/x", "http://h:1/x"),
        ("x?y=1#z", "http://h:1/a/x?y=1"),
        ("../x", "http://h:1/x"),
        ("../../../x/.", "http://h:1/x/"),
        ("?d", "http://h:1/a/b?d"),
        ("//o:2/y/../z", "http://o:2/z"),
        ("https://o/y", "https://o/y"),
    ],
)
def test_where_a_redirect_leads(reference: str, url: str) -> None:
    found = joined(BASE, reference)
    assert str(found) == url
    assert not found.authorization


@pytest.mark.parametrize("reference", ["ftp://a/", "http://[", "//:0", "/a\nb"])
def test_a_redirect_to_nowhere(reference: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - no words for a person
        joined(BASE, reference)


@given(st.text(), st.text())
def test_no_text_is_a_traceback_or_breaks_a_line(text: str, more: str) -> None:
    for made in (f"http://h/{text}?{more}", f"http://{text}/", text):
        try:
            url = joined(read_url(made), more)
        except ValueError:
            continue
        line = f"{url.target} {url.authority}"
        assert line.isascii()
        assert line.isprintable()
        assert line.count(" ") == 1


@given(st.lists(st.sampled_from(["a", "b", ".", "..", ""]), max_size=8))
def test_no_dots_are_left(segments: list[str]) -> None:
    path = without_dots("/" + "/".join(segments))
    assert path.startswith("/")
    assert not {".", ".."} & set(path.split("/"))


@pytest.mark.parametrize(
    ("host", "is_one"),
    [("127.0.0.1", True), ("::1", True), ("fe80::1%lo", True), ("127.1", False),
     ("localhost", False), ("\0", False)],
)  # fmt: skip
def test_addresses(host: str, is_one: bool) -> None:
    assert is_address(host) == is_one
