from __future__ import annotations

import pytest

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.headers import NO_HEADERS, read_headers
from exporters.nginx.http.redirects import Request, first_request, redirected
from exporters.nginx.targets import parse_target


PUBLIC = (("User-Agent", "us"), ("Accept-Encoding", "identity"))
OWN = (
    ("Host", "status.example"),
    ("X-Token", "sekret"),
    ("Authorization", "Basic dTpz"),
)


def _first(uri: str = "http://u:s@a/x") -> Request:
    headers = read_headers(["Host: status.example", "X-Token: sekret"], [])
    return first_request(parse_target(uri), "", "us", headers)


@pytest.mark.parametrize(
    ("uri", "suffix", "url"),
    [
        ("http://a/api", "/9/nginx", "http://a/api/9/nginx"),
        ("http://a/api/", "/9/nginx", "http://a/api/9/nginx"),
        ("http://a", "/9", "http://a/9"),
        ("http://a/api?x=1", "/9", "http://a/api/9?x=1"),
        ("http://u:s@a/api", "", "http://a/api"),
        ("unix:/s:/api", "/9", "http://unix/api/9"),
        ("http://a/a%2Fb", "/c%20d", "http://a/a%2Fb/c%20d"),
        ("http://a/api", "/9?fields=a", "http://a/api/9?fields=a"),
    ],
)
def test_suffix(uri: str, suffix: str, url: str) -> None:
    request = first_request(parse_target(uri), suffix, "us", NO_HEADERS)
    assert str(request.url) == url


def test_first_request_carries_everything() -> None:
    request = _first()
    assert request.headers == PUBLIC + OWN
    assert request.server_name == "status.example"
    assert "sekret" not in repr(request)


@pytest.mark.parametrize(
    ("uri", "location", "url"),
    [
        ("http://u:s@a/x", "/y", "http://a/y"),
        ("http://u:s@a/x", "y", "http://a/y"),
        ("http://u:s@a/x", "?q", "http://a/x?q"),
        ("http://u:s@a/x", "http://A:80/y", "http://a/y"),
        ("http://u:s@a/x", "//a/y", "http://a/y"),
        ("http://u:s@a/x", "http://v:other@a/y", "http://a/y"),
        ("http://u:s@a/x", "https://a/y", "https://a/y"),
    ],
)
def test_the_same_server_is_told_everything(uri: str, location: str, url: str) -> None:
    request = redirected(_first(uri), location)
    assert str(request.url) == url
    assert request.headers == PUBLIC + OWN
    assert request.server_name == "status.example"


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("http://u:s@a/x", "http://b/x"),
        ("http://u:s@a/x", "//b/x"),
        ("http://u:s@a/x", "http://sub.a/x"),
        ("http://u:s@a/x", "http://a:81/x"),
        ("http://u:s@a/x", "https://a:81/x"),
        ("http://u:s@a:81/x", "https://a/x"),
        ("http://u:s@a/x", "https://b/x"),
        ("https://u:s@a/x", "http://a/x"),
    ],
)
def test_another_server_is_told_nothing(uri: str, location: str) -> None:
    request = redirected(_first(uri), location)
    assert request.headers == PUBLIC
    assert request.server_name is None
    back = redirected(request, str(_first(uri).url))
    assert back.headers == PUBLIC, "nor is the first one, after that"


@pytest.mark.parametrize(
    "location",
    [
        "ftp://u:sekret@h/",
        "mailto:sekret",
        "http://[::1/",
        "http://h:sekret/",
    ],
)
def test_no_url(location: str) -> None:
    with pytest.raises(ScrapeError) as caught:
        redirected(_first(), location)
    assert str(caught.value) == "redirected to something that is not an http URL"
