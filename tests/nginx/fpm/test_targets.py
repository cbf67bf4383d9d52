from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.fpm.targets import FpmTarget, parse_fpm_target, parse_fpm_targets
from exporters.toolkit.errors import StartError


Q = "json&full"


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        (
            "tcp://wordpress:9000/fpm-status",
            ("/fpm-status", Q, None, "wordpress", 9000),
        ),
        ("TCP://h/s", ("/s", Q, None, "h", 9000)),
        ("tcp://h:1", ("/status", Q, None, "h", 1)),
        ("tcp://[::1]:9001/s", ("/s", Q, None, "::1", 9001)),
        ("tcp://[fe80::1%25eth0]:9001/s", ("/s", Q, None, "fe80::1%eth0", 9001)),
        ("tcp://h/s?a=1&b", ("/s", f"{Q}&a=1&b", None, "h", 9000)),
        (
            "tcp://h/s?html&full&json=1&xml&openmetrics&a",
            ("/s", f"{Q}&a", None, "h", 9000),
        ),
        ("unix:///run/f.sock;/s", ("/s", Q, "/run/f.sock", "", 9000)),
        ("unix:///run/f.sock", ("/status", Q, "/run/f.sock", "", 9000)),
        ("unix:///run/f.sock;", ("/status", Q, "/run/f.sock", "", 9000)),
        ("unix:///run/f.sock:/s", ("/s", Q, "/run/f.sock", "", 9000)),
        ("unix:/run/f.sock:/s?a", ("/s", f"{Q}&a", "/run/f.sock", "", 9000)),
        ("unix:/run/a:b.sock:/s/t", ("/s/t", Q, "/run/a:b.sock", "", 9000)),
        ("unix:f.sock;/s", ("/s", Q, "f.sock", "", 9000)),
    ],
)
def test_uris(uri: str, target: tuple[str, str, str | None, str, int]) -> None:
    assert parse_fpm_target(uri) == FpmTarget(uri, *target)


def test_credentials_are_left_out() -> None:
    target = parse_fpm_target("tcp://u:sekret@h:1/s")
    assert target == FpmTarget("tcp://h:1/s", "/s", Q, None, "h", 1)


@pytest.mark.parametrize(
    "uri",
    [
        "http://h/s",
        "h:9000/s",
        "h",
        "tcp:///s",
        "tcp://h:0/s",
        "tcp://h:x/s",
        "tcp://h:70000/s",
        "tcp://[::1/s",
        "tcp://h/a b",
        "tcp://h#s",
        "unix:",
        "unix:;/s",
        "unix://run/f.sock;/s",
        "unix:///f.sock;s",
        "unix:/f\n.sock",
    ],
)
def test_unreadable(uri: str) -> None:
    with pytest.raises(StartError) as raised:
        parse_fpm_target(uri)
    assert str(raised.value) == (
        f"cannot read --fpm.scrape-uri {uri!r}: expected tcp://host:port/path, "
        "unix:/socket:/path or unix:///socket;/path"
    )


def test_no_credentials_in_errors() -> None:
    with pytest.raises(StartError) as raised:
        parse_fpm_target("http://u:sekret@h/s")
    assert "sekret" not in str(raised.value)
    assert "…@h/s" in str(raised.value)


def test_lists_and_the_same_uri_twice() -> None:
    values = ("tcp://a/s, unix:///b,c;/s ,\ntcp://c/s", "", " \n", "tcp://a/s,")
    names = [target.name for target in parse_fpm_targets(values)]
    assert names == ["tcp://a/s", "unix:///b,c;/s", "tcp://c/s"]


@given(st.text(), st.sampled_from(["", "tcp://", "tcp://h:", "unix:", "unix://"]))
def test_never_anything_but_the_one_error(text: str, start: str) -> None:
    with suppress(StartError):
        assert parse_fpm_target(start + text).path.startswith("/")
