from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.answer import (
    CLOSED,
    CUT_OFF,
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    Answer,
    AnswerReader,
    NoAnswerError,
)


OK = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: t\r\n\r\n"
)
MOVED = (
    b"HTTP/1.1 302 Found\r\nLocation: /y\r\nlocation: /z\r\nContent-Length: 0\r\n\r\n"
)
NOTHING = b"HTTP/1.1 204 No Content\r\n\r\n"
HINTS = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLocation: x\r\n\r\n"
WITH_LENGTH = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b"
HELLO = Answer(200, b"hello")


def _reader(max_bytes: int = MAX_BODY_BYTES) -> AnswerReader:
    reader = AnswerReader()
    reader.start(max_bytes)
    return reader


def _with_length(body: bytes, headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return WITH_LENGTH % (status, len(body), headers, body)


@given(
    st.sampled_from(
        [
            (OK, HELLO),
            (CHUNKED, HELLO),
            (MOVED, Answer(302, b"", "/y")),
            (NOTHING, Answer(204, b"")),
            (HINTS + OK, HELLO),
            (OK.replace(b"\r\n", b"\n"), HELLO),
            (
                _with_length(
                    gzip.compress(b"hello", mtime=0), b"content-encoding: GZIP\r\n"
                ),
                HELLO,
            ),
        ]
    ),
    st.data(),
)
def test_any_split_is_the_same_answer(
    case: tuple[bytes, Answer], data: st.DataObject
) -> None:
    sent, answer = case
    reader = AnswerReader()
    for _ in range(2):  # twice over one connection
        reader.start(MAX_BODY_BYTES)
        cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1), max_size=5)))
        parts = [
            sent[begin:end]
            for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)
        ]
        for part in parts[:-1]:
            assert reader.feed(part) is None
        assert reader.feed(parts[-1]) == answer
        assert reader.reusable


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.booleans())
def test_any_bytes_are_an_answer_or_one_line(parts: list[bytes], begin: bool) -> None:
    reader = _reader()
    if begin:
        parts.insert(0, b"HTTP/1.1 200 OK\r\n")
    try:
        for part in parts:
            if reader.feed(part) is not None:
                return
        reader.end()
    except ScrapeError as error:
        text = str(error)
        assert text.isprintable()
        assert len(text) < 600


@pytest.mark.parametrize(
    ("sent", "reusable"),
    [
        (OK, True),
        (OK + b"junk", False),
        (OK + OK, False),
        (OK.replace(b"Server: nginx", b"Connection: close"), False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", False),
        (
            OK.replace(b"1.1", b"1.0").replace(
                b"Server", b"Connection: keep-alive\r\nX"
            ),
            True,
        ),
        # Apache offers another protocol, and goes on in this one.
        (
            _with_length(b"hello", b"Upgrade: h2c\r\nConnection: Upgrade\r\n"),
            True,
        ),
    ],
)
def test_a_connection_is_kept_if_nothing_speaks_against_it(
    sent: bytes, reusable: bool
) -> None:
    reader = _reader()
    assert reader.feed(sent) == HELLO
    assert reader.reusable is reusable


def test_another_protocol_is_no_page() -> None:
    reader = _reader()
    switching = b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nxx"
    assert reader.feed(switching) == Answer(101, b"")
    assert not reader.reusable


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nhello",
    ],
)
def test_the_end_of_the_connection_ends_a_body(sent: bytes) -> None:
    reader = _reader()
    assert reader.feed(sent) is None
    assert reader.end().body == b"hello"


@pytest.mark.parametrize(
    ("sent", "why", "text"),
    [
        (b"", "", CLOSED),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "", CLOSED),
        (HINTS, "", CLOSED),
        (b"", "Connection reset by peer", "Connection reset by peer"),
        (OK[:-1], "", CUT_OFF),
        (OK[:-5], "", CUT_OFF),
        (CHUNKED[:-3], "", CUT_OFF),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "Connection reset by peer", CUT_OFF),
    ],
)
def test_the_end_comes_too_early(sent: bytes, why: str, text: str) -> None:
    reader = _reader()
    if sent:
        assert reader.feed(sent) is None
    with pytest.raises(ScrapeError) as caught:
        reader.end(why)
    assert str(caught.value) == text
    # Only what never began to be answered may be asked again.
    assert isinstance(caught.value, NoAnswerError) is (text != CUT_OFF)


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"SSH-2.0-x\r\n", r"expected an HTTP response, got 'SSH-2.0-x\\r\\n' \(.*\)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "expected an HTTP .*"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1e9\r\n\r\n", "expected an HTTP .*"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "expected an HTTP .*",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "expected an HTTP .*",
        ),
        (CHUNKED.replace(b"3;", b"zz;"), CUT_OFF),
        (
            b"HTTP/1.1 200 OK\r\nX: " + b"y" * (MAX_HEAD_BYTES + 1),
            rf"expected an HTTP .* \(more than {MAX_HEAD_BYTES} bytes of header\)",
        ),
        (_with_length(b"junk", b"Content-Encoding: gzip\r\n"), CUT_OFF),
        (
            _with_length(
                gzip.compress(b"hello", mtime=0)[:-4], b"Content-Encoding: gzip\r\n"
            ),
            CUT_OFF,
        ),
    ],
)
def test_no_answer(sent: bytes, text: str) -> None:
    reader = _reader()
    with pytest.raises(ScrapeError, match=f"^{text}$"):
        reader.feed(sent)


@pytest.mark.parametrize(
    "endless",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n" + b"X-B: c\r\n" * 10,
        CHUNKED[: CHUNKED.index(b"\r\n0\r\n") + 5] + b"T: t\r\n" * 10,
        CHUNKED[: CHUNKED.index(b"3;") + 2] + b"x" * 100,
    ],
)
def test_what_never_ends_is_left(endless: bytes) -> None:
    reader = _reader()
    reader.feed(endless)
    filler = endless if endless.startswith(b"HTTP/1.1 103") else endless[-6:] * 100
    with pytest.raises(ScrapeError):  # noqa: PT012 -- which of them does is not told
        for _ in range(MAX_HEAD_BYTES // len(filler) + 2):
            reader.feed(filler)


def test_a_body_in_single_bytes_is_no_flood() -> None:
    reader = _reader()
    reader.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(MAX_HEAD_BYTES // 4):
        assert reader.feed(b"1\r\nx\r\n") is None
    answer = reader.feed(b"0\r\n\r\n")
    assert answer is not None
    assert len(answer.body) == MAX_HEAD_BYTES // 4


@pytest.mark.parametrize("coding", [b"gzip", b"x-gzip", b"deflate", b"br", b"identity"])
def test_codings(coding: bytes) -> None:
    packed = {
        b"gzip": gzip.compress(b"hello", mtime=0),
        b"x-gzip": gzip.compress(b"hello", mtime=0),
        b"deflate": zlib.compress(b"hello"),
    }.get(coding, b"hello")
    sent = _with_length(packed, b"Content-Encoding: %b\r\n" % coding)
    assert _reader().feed(sent) == HELLO


def test_deflate_without_a_header_of_zlib() -> None:
    packing = zlib.compressobj(wbits=-15)
    packed = packing.compress(b"hello") + packing.flush()
    sent = _with_length(packed, b"Content-Encoding: deflate\r\n")
    assert _reader().feed(sent) == HELLO


@pytest.mark.parametrize("headers", [b"", b"Content-Encoding: gzip\r\n"])
def test_a_page_longer_than_wanted(headers: bytes) -> None:
    body = gzip.compress(b"x" * 100, mtime=0) if headers else b"x" * 100
    reader = _reader(99)
    with pytest.raises(ScrapeError, match="expected a body of at most 99 bytes, got"):
        reader.feed(_with_length(body, headers))
    assert _reader(100).feed(_with_length(body, headers)) == Answer(200, b"x" * 100)


def test_what_is_not_200_is_cut_and_its_rest_is_not_waited_for() -> None:
    reader = _reader(1 << 30)
    page = b"x" * (MAX_BODY_BYTES + 1)
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000000\r\n\r\n"
    assert reader.feed(head + page) == Answer(404, page[:-1])
    assert not reader.reusable


PLAIN = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1 (x)\r\n"
    b"Date: Thu, 26 Nov 2026 21:16:38 GMT\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
)


def _outcome(reader: AnswerReader, pieces: list[bytes]) -> object:
    """Return what *pieces* are, and whether the connection may be used again."""
    reader.start(MAX_BODY_BYTES)
    answer = None
    try:
        for piece in pieces:
            answer = answer or reader.feed(piece)
        return answer or reader.end(), reader.reusable
    except ScrapeError as error:
        return str(error), reader.reusable


@given(
    st.integers(0, len(PLAIN)),
    st.integers(0, 2),
    st.sampled_from([b"", b"\r", b"\n", b"\r\n", b"0", b"9", b" ", b":", b"x", b"\0"]),
)
def test_what_looks_like_nginx_is_what_the_parser_says(
    place: int, removed: int, added: bytes
) -> None:
    data = PLAIN[:place] + added + PLAIN[place + removed :]
    # The parser gets what comes in two pieces.
    parsed = _outcome(AnswerReader(), [data[:1], data[1:]])
    if "got b'" not in str(parsed) and "expected an HTTP" not in str(parsed):
        assert _outcome(AnswerReader(), [data]) == parsed


def test_the_parser_goes_on_behind_what_it_has_not_seen() -> None:
    reader = AnswerReader()
    for pieces in ([PLAIN], [CHUNKED], [PLAIN], [PLAIN], [PLAIN[:50], PLAIN[50:]]):
        assert _outcome(reader, pieces) == (HELLO, True)
    assert _outcome(reader, [PLAIN + b"x"]) == (HELLO, False)


def test_a_long_page_is_none_of_nginx() -> None:
    reader = _reader(4)
    with pytest.raises(ScrapeError, match="at most 4 bytes"):
        reader.feed(PLAIN)


def test_nothing_after_an_answer_is_no_answer() -> None:
    reader = AnswerReader()
    assert _outcome(reader, [PLAIN]) == (HELLO, True)
    reader.start(MAX_BODY_BYTES)
    with pytest.raises(NoAnswerError, match=CLOSED):
        reader.end()
