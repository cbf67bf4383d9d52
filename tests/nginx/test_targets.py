from __future__ import annotations

import base64

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.targets import Target, parse_target, parse_targets, split_uris
from exporters.toolkit.errors import StartError


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        (
            "http://127.0.0.1:8080/stub_status",
            Target(
                "http://127.0.0.1:8080/stub_status", "http://127.0.0.1:8080/stub_status"
            ),
        ),
        ("https://[::1]/s?a=b", Target("https://[::1]/s?a=b", "https://[::1]/s?a=b")),
        ("HTTP://Host", Target("HTTP://Host", "HTTP://Host")),
        (
            "unix:/run/n.sock:/stub_status",
            Target(
                "unix:/run/n.sock:/stub_status",
                "http://unix/stub_status",
                "/run/n.sock",
            ),
        ),
        (
            "unix:/run/n.sock",
            Target("unix:/run/n.sock", "http://unix/", "/run/n.sock"),
        ),
        (
            "unix:/run/a:b.sock:/s",
            Target("unix:/run/a:b.sock:/s", "http://unix/s", "/run/a:b.sock"),
        ),
        (
            "unix:/run/a:b.sock",
            Target("unix:/run/a:b.sock", "http://unix/", "/run/a:b.sock"),
        ),
        (  # in guides, and upstream reads it: a host before the path
            "unix:///run/n.sock:localhost/s",
            Target(
                "unix:///run/n.sock:localhost/s",
                "http://unixlocalhost/s",
                "///run/n.sock",
            ),
        ),
    ],
)
def test_uri(uri: str, target: Target) -> None:
    assert parse_target(uri) == target


@pytest.mark.parametrize(
    ("uri", "name", "credentials"),
    [
        ("http://u:sekret@h:81/s", "http://h:81/s", b"u:sekret"),
        ("https://u@[::1]/s?q=@", "https://[::1]/s?q=@", b"u:"),
        ("http://u%40x:p%2F%C3%A9@h/", "http://h/", "u@x:p/é".encode()),
        ("http://u:p@ss@h/", "http://h/", b"u:p@ss"),
    ],
)
def test_credentials_leave_the_name(uri: str, name: str, credentials: bytes) -> None:
    target = parse_target(uri)
    assert (target.name, target.url) == (name, name)
    assert target.authorization == "Basic " + base64.b64encode(credentials).decode()
    assert target.authorization not in repr(target)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("notaurl", "notaurl"),
        ("unix:", "unix:"),
        ("unix::/s", "unix::/s"),
        ("unix:/a b:/s", "unix:/a b:/s"),
        ("ftp://h/", "ftp://h/"),
        ("http://", "http://"),
        ("http:///s", "http:///s"),
        ("http://h:port/", "http://h:port/"),
        ("http://h:0/", "http://h:0/"),
        ("http://h:70000/", "http://h:70000/"),
        ("http://[::1/", "http://[::1/"),
        ("http://a b/", "http://a b/"),
        ("http://h/\x7f", "http://h/\\x7f"),
        ("u:sekret@h:8080/s", "…@h:8080/s"),
        ("htp://u:sekret@h/", "…@h/"),
        ("http://u:sek/ret@h/", "…@h/"),
        ("http://u:sekret@h:x/", "…@h:x/"),
    ],
)
def test_unreadable_uri(uri: str, shown: str) -> None:
    with pytest.raises(StartError) as caught:
        parse_targets([uri])
    assert str(caught.value) == (
        f"cannot read --nginx.scrape-uri '{shown}': "
        "expected http://host[:port]/path, https://… or unix:/socket:/path"
    )


@pytest.mark.parametrize(
    ("values", "uris"),
    [
        (["http://a/", "http://b/"], ["http://a/", "http://b/"]),
        (["http://a/,http://b/"], ["http://a/", "http://b/"]),
        (["http://a/\nunix:/s:/x\n"], ["http://a/", "unix:/s:/x"]),
        ([" http://a/ , https://b/ ,"], ["http://a/", "https://b/"]),
        (["http://a/?q=1,2"], ["http://a/?q=1,2"]),
        (["", "\n", ","], []),
    ],
)
def test_lists(values: list[str], uris: list[str]) -> None:
    assert split_uris(values) == uris


def test_the_same_uri_twice_is_one() -> None:
    (target,) = parse_targets(["http://u:p@a/", "http://u:p@a/"])
    assert target.name == "http://a/"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("http://a/s", "HTTP://A/s"),
        ("http://a/s", "http://a:80/s"),
        ("https://a/s", "https://a:443/s"),
        ("http://a", "http://a/"),
        ("http://a/%7Es", "http://a/~s"),
        ("http://[::1]/", "http://[0:0::1]/"),
        ("http://u:p@a/", "http://u:p@A:80"),
        ("unix:/n.sock", "unix:/n.sock:/"),
    ],
)
def test_the_same_uri_in_other_words_is_one(first: str, second: str) -> None:
    (target,) = parse_targets([first, second])
    assert target == parse_target(first), "the first spelling stays"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("http://a/s", "http://a/S"),
        ("http://a/s", "http://a/s/"),
        ("http://a/", "http://a:81/"),
        ("http://a/", "https://a/"),
        ("http://a:443/", "https://a/"),
        ("http://a/s", "http://a/s?x"),
        ("http://a/", "http://a./"),
        ("http://unix/s", "unix:/n.sock:/s"),
        ("unix:/n.sock:/s", "unix:/N.sock:/s"),
        ("unix:/n.sock:/s", "unix:/n.sock:/t"),
    ],
)
def test_two_uris(first: str, second: str) -> None:
    assert len(parse_targets([first, second])) == 2


@pytest.mark.parametrize(
    "second", ["http://v:secret@a/", "http://v:secret@a", "http://A/"]
)
def test_two_credentials_for_one_uri(second: str) -> None:
    with pytest.raises(StartError) as caught:
        parse_targets(["http://u:sekret@a/", second])
    name = parse_target(second).name
    assert str(caught.value) == (
        f"--nginx.scrape-uri {name} is given with two different sets of "
        "credentials, expected one"
    )


def test_no_uri() -> None:
    with pytest.raises(StartError, match="no scrape addresses provided"):
        parse_targets([""])


@given(st.text())
def test_any_text_is_a_target_or_a_start_error(uri: str) -> None:
    try:
        target = parse_target(uri)
    except StartError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right
    else:
        assert target.url.lower().startswith("http")
