"""What --probe.allow lets in, before any name is looked up."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.probe.addresses import read_address
from exporters.nginx.probe.patterns import parse_pattern, parse_patterns
from exporters.nginx.probe.target import read_target
from exporters.toolkit.errors import StartError


# pattern: what it lets in, what it does not
TABLE: dict[str, tuple[list[str], list[str]]] = {
    "http://web1:8080/stub_status": (
        ["http://web1:8080/stub_status", "HTTP://WEB1.:8080/stub_status"],
        [
            "https://web1:8080/stub_status",
            "http://web1/stub_status",
            "http://web1:8081/stub_status",
            "http://web1:8080/stub_status/",
            "http://web1:8080/stub_status?x",
            "http://web1:8080/Stub_status",
            "http://web1.example:8080/stub_status",
            "http://10.0.0.1:8080/stub_status",
            "tcp://web1:8080/stub_status",
        ],
    ),
    "http://*.Example.com:80*/status/*": (
        ["http://a.example.com:8081/status/x", "http://a.example.com/status/"],
        [
            "http://a.b.example.com/status/x",
            "http://example.com/status/x",
            "http://a.example.com/status/x/y",
            "http://a.example.com.evil/status/x",
            "http://a.example.com:9080/status/x",
            "http://evil/.example.com:80/status/x",
        ],
    ),
    "https://web-*-eu.example": (
        ["https://web-1-eu.example/", "https://web-1-eu.example:443/any?x"],
        ["https://web-1-us.example/", "https://web-1-eu.example:444/"],
    ),
    "web*": (
        ["http://web1:81/any", "https://web/", "tcp://web2:9000/status"],
        ["http://w/", "http://web.example/"],
    ),
    "web1:8080": (["http://web1:8080/any"], ["http://web1/any"]),
    "web1/s?*": (["http://web1:1/s?a=/b"], ["http://web1:1/t?a"]),
    "10.0.0.0/8": (
        [
            "http://10.1.2.3:81/any",
            "tcp://10.9.9.9",
            "http://name/",
            "[::ffff:10.1.1.1]",
        ],
        ["http://11.0.0.1/", "http://[2001:db8::1]/"],
    ),
    "http://[10.0.0.0/8]:8080/s": (
        ["http://10.1.2.3:8080/s", "http://name:8080/s"],
        ["http://10.1.2.3/s", "http://10.1.2.3:8080/t", "https://10.1.2.3:8080/s"],
    ),
    "http://10.1.*:*/s": (["http://10.1.2.3:1/s"], ["http://10.2.1.3:1/s"]),
    "10.1.2.3": (["http://10.1.2.3/"], ["http://10.1.2.4/"]),
    "2001:db8::/32": (["http://[2001:db8:1::1]/"], ["http://[2001:db9::1]/"]),
    "[2001:db8::1]:80": (["http://[2001:DB8::1]/"], ["http://[2001:db8::1]:81/"]),
    "M\u00fcller.example": (
        ["http://xn--mller-kva.example/"],
        ["http://muller.example/"],
    ),
    "unix:/run/nginx/*.sock": (
        ["unix:/run/nginx/a.sock:/any", "unix:///run/nginx/a.sock;/any"],
        ["unix:/run/nginx/a/b.sock:/any", "unix:/run/docker.sock:/any", "http://h/"],
    ),
    "unix:/run/a.sock:/s": (["unix:/run/a.sock:/s"], ["unix:/run/a.sock:/t"]),
    "*": (["http://name/"], ["http://a.b/", "unix:/x:/y", "http://10.0.0.1/"]),
}


@pytest.mark.parametrize("pattern", TABLE)
def test_lets_in(pattern: str) -> None:
    parsed = parse_pattern(pattern)
    inside, outside = TABLE[pattern]
    assert [text for text in inside if not parsed.may_take(read_target(text))] == []
    assert [text for text in outside if parsed.may_take(read_target(text))] == []


@pytest.mark.parametrize(
    ("pattern", "address", "taken"),
    [
        ("10.0.0.0/8", "10.1.1.1", True),
        ("10.0.0.0/8", "127.0.0.1", False),
        ("127.0.0.0/8", "127.0.0.1", True),
        ("*.example", "10.1.1.1", True),
        ("*.example", "127.0.0.1", False),
        ("*.example", "169.254.169.254", False),
        ("web1.example", "127.0.0.1", True),
    ],
)
def test_where_a_host_may_be(pattern: str, address: str, taken: bool) -> None:
    assert parse_pattern(pattern).takes(read_address(address)) is taken


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1/8",  # 10.0.0.0/8, or that one address?
        "http://10.0.0.0/8",  # a network, or the path /8?
        "http://10.0.0.0/8/stub_status",
        "10.0.0.0/8:8080",
        "10.0.0.0/33",
        "10.*.2.3",
        "1*.2.3.4",
        "::ffff:10.0.0.0/104",
        "fe80::1%eth0",
        "0x7f.1",
        "*.1",
        "ftp://h",
        "ftp://h:80",
        "://h",
        "http://",
        "http://h:8x",
        "http://h/../x",
        "http://h/%2e%2e",
        "http://h/#x",
        "http://h/%7Estatus",  # is asked for as ~status
        "http://a..b",
        "http://u:sekret@",
        "u:sekret@h",
        "tcp://u:sekret@h",
        "http://u:sek/ret@h",
        "unix:x.sock",
        "unix:/a/../b",
        "unix:/a:/b:/c",
    ],
)
def test_is_refused(text: str) -> None:
    with pytest.raises(
        StartError, match=r"cannot read --probe.allow .*: expected"
    ) as caught:
        parse_pattern(text)
    assert "sekret" not in str(caught.value)


@pytest.mark.parametrize("text", ["http://u:sekret,x@h", "http://u:sekret x@h"])
def test_a_password_that_a_separator_cuts(text: str) -> None:
    with pytest.raises(StartError) as caught:
        parse_patterns((text,))
    assert "sekret" not in str(caught.value)


def test_credentials_stay_apart() -> None:
    pattern = parse_pattern("http://u:s%40kret@[10.0.0.0/8]:8080/s")
    assert pattern.credentials == "u:s%40kret"
    assert pattern.text == "http://[10.0.0.0/8]:8080/s"
    assert "kret" not in repr(pattern)


def test_lists() -> None:
    values = ("a, b\n", "c\td,,", "", "a")
    assert [each.text for each in parse_patterns(values)] == ["a", "b", "c", "d"]


@given(st.one_of(st.text(), st.text("a0*.:/@[]?x,%un", max_size=20)))
def test_nothing_but_the_one_error(text: str) -> None:
    try:
        parsed = parse_patterns((text,))
    except StartError:
        return
    for pattern in parsed:
        pattern.may_take(read_target("http://web1:8080/stub_status"))
