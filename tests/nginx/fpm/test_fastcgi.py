from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.fpm.errors import FpmError
from exporters.nginx.fpm.fastcgi import MAX_STDERR_BYTES, Answer, encode_request
from tests.nginx.fpm.conftest import END, decode_request, record


def test_request() -> None:
    records, params = decode_request(encode_request({"A": "b", "NAME": "x" * 200}))
    assert params == {"A": "b", "NAME": "x" * 200}
    assert [kind for kind, _ in records] == [1, 4, 4, 5]
    assert records[0][1] == b"\0\1\0\0\0\0\0\0", (
        "a responder; do not keep the connection"
    )
    assert records[2][1] == records[3][1] == b"", "the ends of params and of the body"


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_any_parameters_arrive(params: dict[str, str]) -> None:
    assert decode_request(encode_request(params))[1] == params


def test_parameters_of_more_than_one_record() -> None:
    params = {"A": "b" * 70_000, "C": "d" * 127, "E": "f" * 128}
    records, decoded = decode_request(encode_request(params))
    assert decoded == params
    assert [kind for kind, _ in records] == [1, 4, 4, 4, 5]


WHOLE = (
    record(6, b"Status: 200\r\n", padding=5)
    + record(7, b"note")
    + record(6, b"\r\nbo", padding=255)
    + record(11, b"of a kind nobody knows")
    + record(6, b"about another", request=2)
    + record(10, b"about the connection", request=0)
    + record(6, b"dy")
    + record(6, b"")
    + END
)


@given(st.lists(st.integers(0, len(WHOLE))))
def test_split_anywhere(cuts: list[int]) -> None:
    answer = Answer(1000)
    edges = [0, *sorted(cuts), len(WHOLE)]
    for start, stop in pairwise(edges):
        assert answer.complete == (start == len(WHOLE))
        answer.feed(WHOLE[start:stop])
    assert answer.complete
    assert answer.stdout == b"Status: 200\r\n\r\nbody"
    assert answer.stderr == b"note"
    answer.end()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\n",
            r"expected a FastCGI record, got 'HTTP/1.1 400 Bad Request\r\n': is this",
        ),
        (record(3, b"\0\0\0\0\2\0\0\0"), "request refused: OVERLOADED, expected"),
        (record(3, b"\0\0\0\0\x09\0\0\0"), "request refused: protocol status 9"),
        (record(3, b"\0"), "END_REQUEST record: expected 8 bytes, got 1"),
        (record(6, b"x" * 1001), "expected a status page, got more than 1000 bytes"),
        (WHOLE[:-1], "answer ends too early, expected an END_REQUEST record"),
        (b"\1", "answer ends too early"),
        (
            b"",
            "connection closed without an answer, expected a FastCGI record: may this",
        ),
    ],
)
def test_errors(data: bytes, error: str) -> None:
    answer = Answer(1000)
    with pytest.raises(FpmError) as raised:  # noqa: PT012 - either of the two may raise
        answer.feed(data)
        answer.end()
    assert error in str(raised.value)


def test_what_comes_after_the_end_is_left_alone() -> None:
    answer = Answer(1000)
    answer.feed(END + b"junk")
    answer.feed(b"more")
    answer.end()


def test_a_long_stderr_is_cut() -> None:
    answer = Answer(10)
    for _ in range(3):
        answer.feed(record(7, b"e" * 700))
    assert len(answer.stderr) == MAX_STDERR_BYTES


@given(st.lists(st.binary(max_size=40)))
def test_never_anything_but_the_one_error(pieces: list[bytes]) -> None:
    answer = Answer(50)
    with suppress(FpmError):
        for piece in pieces:
            answer.feed(piece)
        answer.end()
