"""What Go refuses is refused in its words; see also test_beside_upstream."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.http.head import Refused, parse_head
from exporters.toolkit.http.request import Headers, Request


def parsed(*lines: str) -> Request:
    return parse_head("\r\n".join([*lines, "", ""]).encode())


def refusal(*lines: str) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        parsed(*lines)
    return caught.value.status, caught.value.text


def test_all_of_a_request() -> None:
    request = parsed(
        "BREW /pot%20a?x=1&x=2 HTTP/1.1", "Host: h", "aCCept:\ta ", "ACCEPT: b"
    )
    assert (request.method, request.path, request.minor) == ("BREW", "/pot a", 1)
    assert request.target == "/pot%20a?x=1&x=2"
    assert request.query == {"x": ["1", "2"]}
    assert request.headers.get("Accept") == "a"
    assert request.headers.getall("accept") == ["a", "b"]
    assert request.headers.get("none", "default") == "default"
    assert request.headers.getall("none") == ()
    assert request.length == 0
    assert request.keep_alive


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "close", False),
        ("1.1", "x, CLOSE", False),
        ("1.1", "closed", True),
        ("1.0", "", False),
        ("1.0", "foo,  Keep-Alive", True),
        ("1.0", "keep-alive, close", False),
        ("1.9", "", True),
    ],
)
def test_who_stays(version: str, connection: str, kept: bool) -> None:
    request = parsed(f"GET / HTTP/{version}", "Host: h", f"Connection: {connection}")
    assert request.keep_alive is kept


@pytest.mark.parametrize(
    "line",
    [
        "",
        "garbage",
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET\t/\tHTTP/1.1",
        "G@T / HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1.11",
        "GET / HTTP/3",
        "GET x HTTP/1.1",
        "GET /% HTTP/1.1",
        "GET /\x01 HTTP/1.1",
        "GET /\x7f HTTP/1.1",
        "GET / HTTP/1.1\r",
    ],
)
def test_first_lines_that_are_none(line: str) -> None:
    assert refusal(line, "Host: h") == ("400 Bad Request", "400 Bad Request")


@pytest.mark.parametrize(
    "field",
    [
        "x",
        ": x",
        "X(: y",
        "X\xff: y",
        "X: a\x00",
        "X: a\rb",
        "Host: other",
        "Content-Length: x",
        "Content-Length: -1",
        "Content-Length: +1",
        "Content-Length: 1, 1",
        "Content-Length: 99999999999999999999",
        "Content-Length: 1\r\nContent-Length: 2",
    ],
)
def test_fields_that_are_none(field: str) -> None:
    expected = ("400 Bad Request", "400 Bad Request")
    assert refusal("GET / HTTP/1.1", "Host: h", field) == expected


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("GET / HTTP/1.1",), "400 Bad Request: missing required Host header"),
        (
            ("GET / HTTP/1.1", "Host: a b"),
            "400 Bad Request: malformed Host header",
        ),
        (
            ("GET / HTTP/1.1", "Host: h", "X : y"),
            "400 Bad Request: invalid header name",
        ),
        (
            ("GET / HTTP/2.0", "Host: h"),
            "505 HTTP Version Not Supported: unsupported protocol version",
        ),
        (
            ("GET / HTTP/0.9",),
            "505 HTTP Version Not Supported: unsupported protocol version",
        ),
    ],
)
def test_what_is_refused_with_a_reason(lines: tuple[str, ...], status: str) -> None:
    assert refusal(*lines) == (status, status)


@pytest.mark.parametrize("coding", ["gzip", "gzip, chunked", "identity", ""])
def test_codings(coding: str) -> None:
    lines = "POST / HTTP/1.1", "Host: h", f"Transfer-Encoding: {coding}"
    status = "501 Not Implemented", "Unsupported transfer encoding"
    assert refusal(*lines) == status
    assert parsed("POST / HTTP/1.0", lines[2]).length == 0


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ((), 0),
        (("Content-Length: 00012",), 12),
        (("Content-Length: ",), 0),
        (("Content-Length: 5", "Content-Length: 5"), 5),
        (("Transfer-Encoding: Chunked",), None),
        (("Transfer-Encoding: chunked", "Content-Length: 5"), None),
    ],
)
def test_length_of_the_body(fields: tuple[str, ...], length: int | None) -> None:
    assert parsed("POST / HTTP/1.1", "Host: h", *fields).length == length


def test_a_host_is_not_always_needed() -> None:
    assert parsed("GET / HTTP/1.0").path == "/"
    assert parsed("CONNECT h:1 HTTP/1.1").path == ""
    assert parsed("GET / HTTP/1.1", "Host:").path == "/"


def test_lines_that_are_folded_or_end_without_a_return() -> None:
    request = parse_head(b"GET / HTTP/1.1\nHost: h\nX: a  \n \t b\n\n")
    assert request.headers.get("x") == "a b"
    assert refusal("GET / HTTP/1.1", " X: y", "Host: h")[0] == "400 Bad Request"


def test_headers_made_by_hand() -> None:
    request = Request("GET", "/x?y", Headers({"a": ["b"]}))
    assert (request.path, request.headers.get("A")) == ("/x", "b")


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_raises_nothing_else(data: bytes) -> None:
    for head in (data, b"GET / HTTP/1.1\r\nHost: h\r\n" + data, b"GET " + data):
        try:
            request = parse_head(head + b"\r\n\r\n")
        except Refused:
            continue
        assert request.method
        request.query  # noqa: B018 -- read when it is asked for


FIELD = st.from_regex(r"[A-Za-z-]{1,20}", fullmatch=True).filter(
    lambda name: name.lower() not in {"host", "content-length", "transfer-encoding"}
)
VALUE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40
).map(str.strip)


@given(st.lists(st.tuples(FIELD, VALUE), max_size=20))
def test_fields_are_kept(fields: list[tuple[str, str]]) -> None:
    lines = [f"{name}: {value}" for name, value in fields]
    request = parsed("GET / HTTP/1.1", "Host: h", *lines)
    for name, _ in fields:
        expected = [v for n, v in fields if n.lower() == name.lower()]
        assert request.headers.getall(name.upper()) == expected
