"""Answers taken apart: whole, in pieces, damaged, without an end."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given, strategies as st

from shipper.http.faults import DamagedError, HttpError, NoAnswerError
from shipper.http.reply import MAX_HEAD_BYTES, Expected, Reply, ReplyReader


LONG = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: t\r\n\r\n"
)
STORED = b"HTTP/1.1 204 No Content\r\n\r\n"
HINTS = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLocation: x\r\n\r\n"
LATER = (
    b"HTTP/1.1 429 Slow down\r\nretry-after: 3\r\nRetry-After: 9\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def packed(body: bytes, coding: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (coding, len(body)) + body


def reader(most: int = 1 << 20, *, tunnel: bool = False) -> ReplyReader:
    made = ReplyReader()
    made.start(Expected(most, tunnel))
    return made


def only(data: bytes, most: int = 1 << 20) -> Reply:
    found = reader(most).feed(data)
    assert found is not None
    return found


def feed_all(made: ReplyReader, data: bytes) -> None:
    for start in range(0, len(data), 1 << 14):
        made.feed(data[start : start + (1 << 14)])


WHOLE = [
    (LONG, 400, b"hello"),
    (CHUNKED, 200, b"hello"),
    (STORED, 204, b""),
    (HINTS + LONG, 400, b"hello"),
    (HINTS + STORED, 204, b""),
    (LATER, 429, b""),
    (LONG.replace(b"\r\n", b"\n"), 400, b"hello"),
    (packed(gzip.compress(b"hello"), b"GZIP"), 200, b"hello"),
    (packed(zlib.compress(b"hello"), b"deflate"), 200, b"hello"),
    (packed(zlib.compress(b"hello")[2:-4], b"deflate"), 200, b"hello"),
    (packed(b"hello", b"br"), 200, b"hello"),
]


@given(st.sampled_from(WHOLE), st.data())
def test_an_answer_in_any_pieces(
    case: tuple[bytes, int, bytes], data: st.DataObject
) -> None:
    answer, status, body = case
    cuts = data.draw(st.lists(st.integers(0, len(answer)), max_size=6).map(sorted))
    made = reader()
    for _ in range(2):  # a connection is used again
        found = None
        for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True):
            if start < end:
                assert found is None
                found = made.feed(answer[start:end])
        assert found is not None
        assert (found.status, found.body, found.damage) == (status, body, "")
        assert made.reusable
        made.start(Expected(1 << 20))


@given(st.sampled_from(WHOLE), st.data())
def test_an_answer_that_is_cut_is_never_whole(
    case: tuple[bytes, int, bytes], data: st.DataObject
) -> None:
    answer = case[0]
    cut = data.draw(st.integers(0, len(answer) - 1))
    made = reader()
    if cut:
        assert made.feed(answer[:cut]) is None
    try:
        found = made.end()
    except NoAnswerError:
        assert not cut
    except DamagedError:
        assert cut
    else:
        assert found.damage
        with pytest.raises(DamagedError):
            found.text()


@given(st.binary(max_size=200), st.booleans())
def test_nothing_is_a_traceback(data: bytes, behind: bool) -> None:
    made = reader(50)
    try:
        found = made.feed((b"HTTP/1.1 200 OK\r\n" if behind else b"") + data)
        found = found or made.end()
    except HttpError as error:
        assert "\n" not in str(error)  # noqa: PT017 - it may also be an answer
    else:
        assert len(found.body) <= 50


def test_a_body_until_the_end_of_the_connection() -> None:
    made = reader()
    assert made.feed(b"HTTP/1.0 200 OK\r\n\r\nhel") is None
    assert made.feed(b"lo") is None
    assert made.end() == Reply(200, "OK", {}, b"hello")
    assert not made.reusable


def test_a_reset_is_no_end_of_a_body() -> None:
    made = reader()
    made.feed(b"HTTP/1.0 200 OK\r\n\r\nhel")
    assert made.end("Connection reset by peer").damage == "Connection reset by peer"


def test_what_is_kept_of_the_headers() -> None:
    found = only(LATER)
    assert found.words == "Slow down"
    assert found.header(b"retry-after") == "3", "of several the first, as Go does"
    assert found.header(b"date") is None
    assert found.content_type == "application/octet-stream"
    plain = LONG.replace(b"\r\n\r\n", b"\r\nContent-Type: Text/Plain; x=y\r\n\r\n")
    assert only(plain).content_type == "text/plain"


def test_a_hint_leaves_no_headers() -> None:
    assert only(HINTS + STORED) == Reply(204, "No Content", {}, b"")


@pytest.mark.parametrize("behind", [b"x", STORED, b"\r\n\r\nx"])
def test_what_comes_behind_is_not_the_next_answer(behind: bytes) -> None:
    made = reader()
    found = made.feed(LONG + behind)
    assert found is not None
    assert found.body == b"hello"
    assert not made.reusable


def test_a_server_that_closes_is_not_asked_again() -> None:
    made = reader()
    made.feed(LATER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert not made.reusable


def test_a_body_is_cut_where_no_more_is_wanted() -> None:
    made = reader(4)
    found = made.feed(LONG[:-1].replace(b": 5", b": 5000000") + b"o")
    assert found is not None
    assert (found.body, found.damage) == (b"hell", "")
    assert not made.reusable


def test_a_bomb_is_not_unpacked() -> None:
    bomb = packed(gzip.compress(bytes(50_000_000)), b"gzip")
    assert only(bomb, 1 << 16).body == bytes(1 << 16)


def test_a_packed_body_that_is_none() -> None:
    assert only(packed(b"hello", b"gzip")).damage.startswith("damaged body: ")


@pytest.mark.parametrize(
    "endless",
    [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * MAX_HEAD_BYTES,
     b"HTTP/1.1 200 " + b"x" * 2 * MAX_HEAD_BYTES,
     b"HTTP/1.1 103 x\r\n\r\n" * MAX_HEAD_BYTES],
)  # fmt: skip
def test_headers_without_an_end(endless: bytes) -> None:
    with pytest.raises(DamagedError, match="more than 65536 bytes of headers"):
        feed_all(reader(), endless)


@pytest.mark.parametrize("data", [b"SSH-2.0-x\r\n", b"\x15\x03\x01\x00\x02\x02\x16"])
def test_another_protocol(data: bytes) -> None:
    with pytest.raises(DamagedError, match="no answer of HTTP"):
        reader().feed(data)


@pytest.mark.parametrize(
    ("answer", "status", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 200, True),
        (b"HTTP/1.0 200 Connection established\r\n\r\n", 200, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, True),
        (b"HTTP/1.1 200 OK\r\n\r\nsurplus", 200, False),
        (b"HTTP/1.1 407 Who?\r\nContent-Length: 9\r\n\r\n", 407, False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, False),
    ],
)
def test_a_tunnel(answer: bytes, status: int, kept: bool) -> None:
    made = reader(0, tunnel=True)
    found = made.feed(answer)
    assert found is not None
    assert (found.status, found.body, made.reusable) == (status, b"", kept)
