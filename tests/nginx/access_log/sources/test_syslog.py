from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.access_log.sources.syslog import is_error_log, parse_message


JSON = b'{"method":"GET","request_uri":"/a: b"}'


@pytest.mark.parametrize(
    ("data", "tag", "text"),
    [
        # As nginx 1.22.1 sent them, with and without "nohostname".
        (b"<190>Nov 26 10:04:57 nginx: " + JSON, b"nginx", JSON),
        (b"<190>Nov  6 10:04:57 web-01 nginx: " + JSON, b"nginx", JSON),
        (b"<13>Nov  6 10:04:57 web-01 shop_1: x", b"shop_1", b"x"),
        # nginx logs nothing: the format may be empty.
        (b"<190>Nov 26 10:04:57 nginx: ", b"nginx", b""),
        (b"<190>Nov 26 10:04:57 nginx:", b"nginx", b""),
        # What is behind the tag may look like a tag.
        (b"<190>Nov 26 10:04:57 nginx: a b: c", b"nginx", b"a b: c"),
        (b"<190>Nov 26 10:04:57 nginx: a: c", b"nginx", b"a: c"),
        # From a relay: a host that is an address, a process id, another time, an end.
        (b"<190>Nov 26 10:04:57 fe80::1 nginx: x", b"nginx", b"x"),
        (b"<190>Nov 26 10:04:57 web-01 nginx[12]: x\n", b"nginx", b"x"),
        (b"<190>2026-11-26T10:04:57.123456+01:00 web-01 nginx: x", b"nginx", b"x"),
        (b"<190>Nov 26 10:04:57 web-01 nginx: x\r\n\0", b"nginx", b"x"),
        # RFC 5424
        (b"<190>1 2026-11-26T10:04:57Z web-01 nginx - - - x", b"nginx", b"x"),
        (b"<190>1 - - nginx - - - \xef\xbb\xbfx y", b"nginx", b"x y"),
        (b'<190>1 - - nginx 1 m [a@1 b="]\\"c"][d e="f"] x', b"nginx", b"x"),
        (b"<190>1 - - nginx - - -", b"nginx", b""),
        (b"<190>1 - - nginx - - -  x", b"nginx", b"x"),  # rsyslog
        # Bytes that are no UTF-8 are a matter of the line.
        (b"<190>Nov 26 10:04:57 nginx: \xff\x00\xfe", b"nginx", b"\xff\x00\xfe"),
    ],
)
def test_message(data: bytes, tag: bytes, text: bytes) -> None:
    assert parse_message(data) == (tag, text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        JSON,
        b"<190>" + JSON,
        b"<190>Nov 26 10:04:57 " + JSON,
        b"Nov 26 10:04:57 nginx: x",
        b"<1900>Nov 26 10:04:57 nginx: x",
        b"<190>Nov 26 10:04 nginx: x",
        b"<190>Nov 26 10:04:57 web-01 nginx x",
        b"<190>2 - - nginx - - - x",
        b"<190>1 - - nginx - - [a x",
    ],
)
def test_no_message(data: bytes) -> None:
    assert parse_message(data) is None


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_message_or_none(data: bytes) -> None:
    assert parse_message(data) is None
    parse_message(b"<190>Nov 26 10:04:57 " + data)
    parse_message(b"<190>1 - - nginx - - " + data)


@given(
    host=st.sampled_from(["", "web-01 ", "10.0.0.1 ", "fe80::1 "]),
    tag=st.from_regex(r"[A-Za-z0-9_]{1,32}", fullmatch=True),
    text=st.binary(max_size=80).filter(lambda text: not text.endswith((b"\n", b"\0"))),
)
def test_what_nginx_sends_comes_back(host: str, tag: str, text: bytes) -> None:
    data = f"<190>Oct  1 22:14:15 {host}{tag}: ".encode() + text
    assert parse_message(data) == (tag.encode(), text)


@pytest.mark.parametrize("part", [b"a ", b"[a]", b'[a"', b"\\", b'"', b"1 - - "])
def test_what_is_no_message_costs_no_more_than_a_look(part: bytes) -> None:
    # Nested repetitions would make hours of each of these.
    parse_message(b"<190>Nov 26 10:04:57 " + part * 20_000)
    parse_message(b"<190>1 - - nginx - - " + part * 20_000)
    parse_message(b"<190>1 - - nginx - - [" + part * 20_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"2026/11/26 10:04:57 [error] 12#12: *1 open() failed", True),
        (b"2026/11/26 10:04:57 [notice] 1#1: start worker", True),
        (b"26/Nov/2026:10:04:57 +0000 GET /", False),
        (b"2026/11/26 10:04:57 [x] 1", False),
        (JSON, False),
        (b"", False),
    ],
)
def test_error_log(text: bytes, expected: bool) -> None:
    assert is_error_log(text) is expected
