from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.fpm.cgi import Response, parse_response
from exporters.nginx.fpm.errors import FpmError


@pytest.mark.parametrize(
    ("output", "response"),
    [
        (b"A: b\r\n\r\nbody", Response(200, b"body")),
        (b"A: b\n\nbody\n\nmore", Response(200, b"body\n\nmore")),
        (b"Status: 404 Not Found\r\nA: b\r\n\r\nno\n", Response(404, b"no\n")),
        (b"A: b\r\nstatus:503\r\n\r\n", Response(503, b"")),
        (b"X-Status: 500\r\n\r\nStatus: 501\r\n", Response(200, b"Status: 501\r\n")),
    ],
)
def test_responses(output: bytes, response: Response) -> None:
    assert parse_response(output) == response


@pytest.mark.parametrize(
    ("output", "error"),
    [
        (b"", "expected CGI headers and a body, got ''"),
        (b"<html>", "expected CGI headers and a body, got '<html>'"),
        (b"Status: fine\r\n\r\n", "header Status: expected a number, got ' fine'"),
        (b"Status: 2000\r\n\r\n", "header Status: expected a number, got ' 2000'"),
    ],
)
def test_errors(output: bytes, error: str) -> None:
    with pytest.raises(FpmError) as raised:
        parse_response(output)
    assert str(raised.value) == error


@given(st.binary())
def test_never_anything_but_the_one_error(output: bytes) -> None:
    for data in (output, b"Status:" + output, output + b"\n\n"):
        with suppress(FpmError):
            parse_response(data)
