"""The parameter target: what is read, what is refused, and that all read it alike."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from yarl import URL

from exporters.nginx.fpm.targets import DEFAULT_PATH, DEFAULT_PORT, parse_fpm_target
from exporters.nginx.probe.errors import UnreadableTarget
from exporters.nginx.probe.target import DEFAULTS, MAX_LENGTH, read_target
from exporters.nginx.targets import parse_target


@pytest.mark.parametrize(
    ("text", "anew"),
    [
        ("http://10.1.2.3:8080/stub_status", "http://10.1.2.3:8080/stub_status"),
        ("http://10.1.2.3", "http://10.1.2.3/"),
        ("http://h?a=1", "http://h/?a=1"),
        ("HTTPS://Web1.Example.COM/s", "https://web1.example.com/s"),
        ("http://web1.example.com./s", "http://web1.example.com./s"),
        ("http://my_nginx:8080/s", "http://my_nginx:8080/s"),
        ("http://h:0080/s", "http://h:80/s"),
        ("10.1.2.3:8080/stub_status", "http://10.1.2.3:8080/stub_status"),
        ("web1", "http://web1/"),
        ("http://[2001:DB8:0::1]:8080/s", "http://[2001:db8::1]:8080/s"),
        ("http://[::ffff:10.0.0.1]/s", "http://10.0.0.1/s"),
        ("http://10.0.0.1./s", "http://10.0.0.1/s"),
        ("http://M\u00fcller.example/s", "http://xn--mller-kva.example/s"),
        ("http://h/@x;y=1//z?q=/../&r=%20", "http://h/@x;y=1//z?q=/../&r=%20"),
        ("tcp://php:9000/fpm-status", "tcp://php:9000/fpm-status"),
        ("tcp://php", "tcp://php/status"),
        ("unix:/run/a:b.sock:/s?x", "unix:/run/a:b.sock:/s?x"),
        ("unix:///run/php.sock;/status", "unix:/run/php.sock:/status"),
    ],
)
def test_is_written_anew(text: str, anew: str) -> None:
    asked = read_target(text)
    assert asked.text == anew
    assert read_target(anew) == asked


def test_all_parts() -> None:
    asked = read_target("http://Web1.:8080/s?x")
    assert (asked.scheme, asked.host, asked.port, asked.path, asked.address) == (
        "http",
        "web1.",
        8080,
        "/s?x",
        None,
    )
    assert asked.name == "web1"
    assert str(read_target("[::1]:81").address) == "::1"


def test_without_a_scheme_it_is_the_modules() -> None:
    assert read_target("php:9001", "tcp").text == "tcp://php:9001/status"


def test_the_defaults_of_php_fpm_are_said_once_more() -> None:
    assert DEFAULTS["tcp"] == (DEFAULT_PORT, DEFAULT_PATH)


# What would be read one way here and another way where it is connected.
ATTACKS = {
    "empty host": "http:///stub_status",
    "no port behind the colon": "http://h:/s",
    "port zero": "http://h:0/s",
    "port too high": "http://h:65536/s",
    "port in Arabic digits": "http://h:\u0668\u0660/s",
    "other scheme": "gopher://h/s",
    "file": "file:///etc/passwd",
    "scheme without slashes": "http:h/s",
    "one slash": "http:/h/s",
    "three slashes": "http:///h/s",
    "hex IPv4": "http://0x7f.1/s",
    "hex IPv4 whole": "http://0x7f000001/s",
    "decimal IPv4": "http://2130706433/s",
    "octal IPv4": "http://0177.0.0.1/s",
    "leading zero": "http://127.0.0.01/s",
    "short IPv4": "http://127.1/s",
    "five octets": "http://127.0.0.0.1/s",
    "octet too high": "http://256.0.0.1/s",
    "IPv4 of a name's shape": "http://h.0x1/s",
    "zone": "http://[::1%lo]/s",
    "zone escaped": "http://[fe80::1%25eth0]/s",
    "IPv6 without brackets": "http://::1/s",
    "IPv6 half open": "http://[::1/s",
    "IPv4 in brackets": "http://[127.0.0.1]/s",
    "IPvFuture": "http://[v1.x]/s",
    "text behind brackets": "http://[::1]x/s",
    "percent in host": "http://127.0.0.1%2f@h/s",
    "percent-encoded host": "http://%6c%6f%63alhost/s",
    "NUL in host": "http://h\x00.example/s",
    "NUL encoded": "http://h/s%00",
    "user": "http://allowed@h/s",
    "user and password": "http://u:sekret@h/s",
    "user, no scheme": "u:sekret@h/s",
    "user in unix": "unix:u:sekret@/s:/x",
    "backslash before at": "http://evil\\@h/s",
    "backslash": "http://h\\s",
    "fragment before at": "http://h#@evil/s",
    "fragment": "http://h/s#x",
    "tab": "http://h\t/s",
    "newline in host": "http://h\n.evil/s",
    "CRLF": "http://h/s\r\nX-Evil: 1",
    "CRLF encoded": "http://h/s%0d%0aX-Evil:1",
    "blank": "http://h/s x",
    "blank in front": " http://h/s",
    "blank behind": "http://h/s ",
    "dots": "http://h/status/../admin",
    "dots encoded": "http://h/status/%2e%2e/admin",
    "dots half encoded": "http://h/status/.%2E/admin",
    "dots and encoded slash": "http://h/status/..%2fadmin",
    "encoded backslash": "http://h/status/..%5cadmin",
    "doubly encoded": "http://h/status/%252e%252e/admin",
    "dots of Tomcat": "http://h/status/..;/admin",
    "one dot": "http://h/./s",
    "needless encoding": "http://h/%73tub_status",
    "quote": 'http://h/"',
    "not ASCII in path": "http://h/\u00fc",
    "dotless i": "http://h/\u2024\u2024/",
    "two dots in host": "http://h..example/s",
    "dot in front": "http://.h/s",
    "only a dot": "http://./s",
    "dash in front": "http://-h/s",
    "blank that is no blank": "http://h\u3000x/s",
    "slash by normalisation": "http://h\uff0fevil/s",
    "account of": "http://h\u2100evil/s",
    "at by normalisation": "http://h\uff20evil/s",
    "colon by normalisation": "http://h\uff1a22/s",
    "label too long": f"http://{'a' * 64}/s",
    "name too long": f"http://{'a.' * 127}a/s",
    "unix, relative": "unix:run/x.sock:/s",
    "unix, abstract": "unix:\x00x:/s",
    "unix, no path": "unix:/run/x.sock",
    "unix, dots": "unix:/run/nginx/../docker.sock:/s",
    "unix, dots in path": "unix:/run/x.sock:/a/../b",
    "unix, read in two ways": "unix:/run/docker.sock;/s:/x",
    "unix, two paths": "unix:/run/docker.sock:/s:/x",
    "unix, two paths of php": "unix:/run/docker.sock;/s;/x",
    "unix, question mark": "unix:/run/docker.sock?x:/s",
    "unix, NUL": "unix:/run/docker.sock\x00:/s",
    "unix, host": "unix://run/docker.sock:/s",
    "too long": f"http://h/{'x' * MAX_LENGTH}",
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_is_refused(text: str) -> None:
    with pytest.raises(UnreadableTarget) as caught:
        read_target(text)
    said = str(caught.value)
    assert "sekret" not in said
    assert said.isprintable(), "one line"
    assert len(said) < 600


def test_credentials_are_told_where_they_belong() -> None:
    with pytest.raises(UnreadableTarget, match=r"--probe.allow=http://user:password@"):
        read_target("http://u:sekret@h/s")


_HOSTS = st.one_of(
    st.text(max_size=12),
    st.text("aA0.-_x[]:%@\\/1f", max_size=12),
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map("[{}]".format),
)
_PATHS = st.one_of(st.text(max_size=12), st.text("./%2eE5cf?;:@\\#a", max_size=12))
_TARGETS = st.one_of(
    st.text(),
    st.builds(
        "{}{}{}".format, st.sampled_from(["http://", "", "tcp://"]), _HOSTS, _PATHS
    ),
    st.builds("unix:{}{}{}".format, _PATHS, st.sampled_from([":", ";", ""]), _PATHS),
)


@given(_TARGETS)
def test_who_connects_reads_what_was_checked(text: str) -> None:
    """Nothing but the one error; and nginx's, aiohttp's and fpm's readers agree."""
    try:
        asked = read_target(text)
    except UnreadableTarget:
        return
    assert asked.text.isascii()
    assert read_target(asked.text) == asked
    if asked.scheme == "tcp":
        fpm = parse_fpm_target(asked.text)
        assert (fpm.host, fpm.port, fpm.socket) == (asked.host, asked.port, None)
        assert fpm.path == asked.path.partition("?")[0]
        return
    target = parse_target(asked.text)
    url = URL(target.url)
    assert (target.name, target.authorization) == (asked.text, None)
    assert url.raw_path_qs == asked.path
    if asked.scheme == "unix":
        assert target.socket == asked.host == parse_fpm_target(asked.text).socket
    else:
        assert (url.scheme, url.raw_host, url.port, target.socket) == (
            asked.scheme,
            asked.host,
            asked.port,
            None,
        )
