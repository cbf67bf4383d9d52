from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from yarl import URL

from exporters.nginx.http.url import Url, is_address, joined, normal_path, read_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://h", Url("http", "h", 80, "/")),
        ("HTTPS://H/A", Url("https", "h", 443, "/A")),
        ("http://u:p@h:81/x?y=1&z#f", Url("http", "h", 81, "/x?y=1&z")),
        ("http://h?q", Url("http", "h", 80, "/?q")),
        ("http://[0:0::1]:81/", Url("http", "::1", 81, "/")),
        ("http://[fe80::1%25eth0]/", Url("http", "fe80::1%eth0", 80, "/")),
        ("http://h/a b\u00e9\"'", Url("http", "h", 80, "/a%20b%C3%A9%22'")),
        ("http://h/%7e/%zz/../x", Url("http", "h", 80, "/%7e/%zz/../x")),
        ("http://M\u00fcller.example/", Url("http", "xn--mller-kva.example", 80, "/")),
        ("http://stra\u00dfe.de/", Url("http", "xn--strae-oqa.de", 80, "/")),
    ],
)
def test_what_is_asked_for_is_what_was_written(text: str, url: Url) -> None:
    assert read_url(text) == url
    assert read_url(str(url)) == url


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("http://h:80/", "h"),
        ("http://h:443/", "h:443"),
        ("https://h:443/", "h"),
        ("http://h.:81/", "h:81"),
        ("http://[fe80::1%25eth0]:81/", "[fe80::1]:81"),
    ],
)
def test_authority(text: str, authority: str) -> None:
    assert read_url(text).authority == authority


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h/x",
        "ftp://h/",
        "http:///x",
        "http://[::1/",
        "http://[v1.x]/",
        "http://[::1]x:y/",
        "http://h:x/",
        "http://h:70000/",
        "http://a b/",
        "http://a\\b/",
        'http://a"b/',
        "http://a<b/",
        "http://\u00fc..example/",
        "http://\ud800/",
    ],
)
def test_no_url(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- it has no text for the user
        read_url(text)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_url_is_one_line_of_ascii_or_none(host: str, path: str) -> None:
    try:
        url = read_url(f"http://{host}/{path}")
    except ValueError:
        return
    sent = url.path + url.authority
    assert sent.isascii()
    assert sent.isprintable()
    assert " " not in sent


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/", "/"),
        ("/a%7eb%2fc%2B", "/a~b%2Fc%2B"),
        ("/a/./b/../c", "/a/c"),
        ("/a?b=%7e%26&c=/../", "/a?b=~%26&c=/../"),
        ("/a%zz%", "/a%25zz%25"),
        ("/[a]?[b]", "/%5Ba%5D?%5Bb%5D"),
        ("//a//b", "//a//b"),
    ],
)
def test_normal_path(path: str, normal: str) -> None:
    assert normal_path(path) == normal


# What a target may consist of (probe/target.py); yarl is the other reader.
_PATHS = st.text("ab/.;:@!$&'()*+,=~_-%2fF5e7[]", max_size=20)
_QUERIES = st.text("ab/.;:@!$&'()*,=?~_-%2fF5e7", max_size=20)


@given(_PATHS, _QUERIES)
def test_normal_path_is_as_another_reads_it(path: str, query: str) -> None:
    text = f"/a{path}" + (f"?{query}" if query else "")
    assert normal_path(text) == URL(f"http://h{text}").raw_path_qs


@pytest.mark.parametrize(
    ("reference", "joined_url"),
    [
        ("/y", "https://h:8443/y"),
        ("y", "https://h:8443/a/y"),
        ("../y", "https://h:8443/y"),
        ("?q", "https://h:8443/a/x?q"),
        ("//[::1]/y", "https://[::1]/y"),
        ("http://u:p@k/", "http://k/"),
        ("", "https://h:8443/a/x"),
        ("y;", "https://h:8443/a/y;"),
        ("//k/a/../b", "https://k/b"),
        ("/\u00e9?\u00e9", "https://h:8443/%C3%A9?%C3%A9"),
    ],
)
def test_joined(reference: str, joined_url: str) -> None:
    assert str(joined(read_url("https://h:8443/a/x?z"), reference)) == joined_url


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("127.1", False),
        ("h", False),
        ("", False),
        ("1\0", False),
    ],
)
def test_is_address(text: str, address: bool) -> None:
    assert is_address(text) is address
