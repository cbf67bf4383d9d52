from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.http.head import Refused
from exporters.toolkit.http.reader import MAX_HEAD_BYTES, Reader


GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
CHUNKS = (
    b"PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nxy\r\n0\r\n\r\n"
)
BARE = b"GET /d HTTP/1.1\nHost: h\n\n"


def requests(reader: Reader) -> list[str]:
    found = []
    while (request := reader.next()) is not None:
        found.append(request.path)
    return found


@given(
    st.lists(st.sampled_from([GET, POST, CHUNKS, BARE])),
    st.integers(min_value=1, max_value=60),
)
def test_any_split_is_the_same(parts: list[bytes], step: int) -> None:
    data, reader, found = b"".join(parts), Reader(), []
    for place in range(0, len(data), step):
        reader.feed(data[place : place + step])
        found += requests(reader)
    assert found == [part.split()[1].decode() for part in parts]
    assert not reader.waits
    assert len(reader) == 0
    assert reader.end() is None


def test_the_same_head_is_the_same_request() -> None:
    reader = Reader()
    reader.feed(GET + GET + POST + GET)
    first, second, _, fourth = [reader.next() for _ in range(4)]
    assert first is second
    assert fourth is not first


def test_nothing_behind_the_last() -> None:
    reader = Reader()
    reader.feed(b"GET / HTTP/1.0\r\n\r\n" + GET)
    assert requests(reader) == ["/"]
    assert reader.last
    assert not reader.unread


@pytest.mark.parametrize(
    "field",
    [
        "Content-Length: 300000",
        "Content-Length: 5\r\nExpect: 100-Continue",
        "Transfer-Encoding: chunked\r\nExpect: 100-continue",
        "Content-Length: 5\r\nConnection: close",
    ],
)
def test_bodies_that_are_not_awaited(field: str) -> None:
    reader = Reader()
    reader.feed(f"POST / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n".encode())
    assert requests(reader) == ["/"]
    assert reader.last
    assert reader.unread


def test_line_ends_of_old_clients_behind_a_post() -> None:
    reader = Reader()
    reader.feed(POST + b"\r\n\r\n" + GET)
    assert requests(reader) == ["/b", "/a"]
    reader.feed(b"\r\n" + GET)
    with pytest.raises(Refused):
        reader.next()
    assert reader.last


@pytest.mark.parametrize("data", [b"garbage\r\n", b"\r\n", b"GET / HTTP/1.1 \r\n"])
def test_a_wrong_first_line_is_refused_at_once(data: bytes) -> None:
    reader = Reader()
    reader.feed(data)
    with pytest.raises(Refused):
        reader.next()


@pytest.mark.parametrize(
    "data",
    [
        b"GET /" + b"a" * 9000,
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MAX_HEAD_BYTES // 6) + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MAX_HEAD_BYTES // 6),
    ],
)
@pytest.mark.parametrize("step", [1 << 20, 1000, 7])
def test_what_is_too_large(data: bytes, step: int) -> None:
    with pytest.raises(Refused, match="431 Request Header Fields Too Large"):
        feed_all(Reader(), data, step)


def feed_all(reader: Reader, data: bytes, step: int) -> None:
    for place in range(0, len(data), step):
        reader.feed(data[place : place + step])
        assert reader.next() is None


def test_large_but_not_too_large() -> None:
    reader = Reader()
    field = b"X: " + b"a" * 8000 + b"\r\n"
    reader.feed(b"GET /a HTTP/1.1\r\nHost: h\r\n" + field * 4 + b"\r\n")
    assert requests(reader) == ["/a"]


def test_ends() -> None:
    reader = Reader()
    assert reader.end() is None
    reader.feed(POST[:-1])
    assert reader.next() is None
    assert reader.waits
    request = reader.end()
    assert request is not None  # as Go: who is gone is answered all the same
    assert reader.last
    reader = Reader()
    reader.feed(b"GET / HT")
    assert reader.next() is None
    with pytest.raises(Refused):
        reader.end()


@given(st.lists(st.binary(max_size=200)))
def test_garbage_is_refused_and_raises_nothing_else(parts: list[bytes]) -> None:
    reader = Reader()
    with suppress(Refused):
        for part in parts:
            reader.feed(part)
            requests(reader)
        reader.end()
