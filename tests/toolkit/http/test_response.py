from __future__ import annotations

import email.utils

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.http import response as module
from exporters.toolkit.http.dates import http_date
from exporters.toolkit.http.head import Refused
from exporters.toolkit.http.request import Request
from exporters.toolkit.http.response import (
    Response,
    encode,
    encode_refusal,
    text_answer,
    text_response,
)


DATE = "Date: Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.fixture(autouse=True)
def _in_1970(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "time", lambda: 0.5)  # type: ignore[attr-defined] # not exported


def lines(
    response: Response, method: str = "GET", minor: int = 1, *, keep: bool = True
) -> list[str]:
    request = Request(method, "/", minor=minor)
    return encode(response, request, keep_alive=keep).decode().split("\r\n")


def test_an_answer() -> None:
    assert lines(Response(200, {"A": "b"}, b"body")) == [
        "HTTP/1.1 200 OK", "A: b", DATE, "Content-Length: 4", "", "body",
    ]  # fmt: skip
    assert lines(Response(404, {}, b"body"), "HEAD") == [
        "HTTP/1.1 404 Not Found", DATE, "Content-Length: 4", "", "",
    ]  # fmt: skip
    assert lines(Response(204)) == ["HTTP/1.1 204 No Content", DATE, "", ""]
    assert lines(Response(299))[0] == "HTTP/1.1 299 status code 299"


@pytest.mark.parametrize(
    ("minor", "keep", "said"),
    [
        (1, True, []),
        (1, False, ["Connection: close"]),
        (0, True, ["Connection: keep-alive"]),
        (0, False, []),
    ],
)
def test_connection(minor: int, keep: bool, said: list[str]) -> None:
    found = lines(Response(), minor=minor, keep=keep)
    assert found == [f"HTTP/1.{minor} 200 OK", DATE, "Content-Length: 0", *said, "", ""]


def test_texts() -> None:
    answer = text_answer(404, "x\n")
    assert (answer.status, answer.body) == (404, b"x\n")
    assert answer.headers == {
        "Content-Type": "text/plain; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
    }
    assert text_response("a\udcff").body == b"a\xff"


def test_refusals() -> None:
    assert encode_refusal(Refused()) == (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Connection: close\r\n\r\n400 Bad Request"
    )
    assert encode_refusal(Refused("501 Not Implemented", "no")).endswith(b"\r\n\r\nno")


@given(st.integers(min_value=0, max_value=253402300799))
def test_dates(seconds: int) -> None:
    assert http_date(seconds) == email.utils.formatdate(seconds, usegmt=True)
