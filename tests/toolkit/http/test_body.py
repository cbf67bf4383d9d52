from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.http.body import MAX_BODY_BYTES, Body


def after(length: int | None, data: bytes) -> tuple[bool, bytes, bool]:
    """Return whether the body in *data* is whole, what is behind it, is it broken."""
    buffer, body = bytearray(data), Body(length)
    whole = body.take(buffer)
    return whole, bytes(buffer), body.broken


def chunked(chunks: list[bytes]) -> bytes:
    parts = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks if chunk]
    return b"".join([*parts, b"0\r\n\r\n"])


@pytest.mark.parametrize(
    ("length", "data", "expected"),
    [
        (0, b"next", (True, b"next", False)),
        (3, b"abcnext", (True, b"next", False)),
        (3, b"ab", (False, b"", False)),
        (None, b"1\r\nx\r\n0\r\n\r\nnext", (True, b"next", False)),
        (None, b"1;a=b\r\nx\r\n0;c\r\nT: y\r\n\r\nnext", (True, b"next", False)),
        (None, b"A \r\n0123456789\r\n000\r\n\r\n", (True, b"", False)),
        (None, b"1\r\n", (False, b"", False)),
        (None, b"1", (False, b"1", False)),
    ],
)
def test_bodies(
    length: int | None, data: bytes, expected: tuple[bool, bytes, bool]
) -> None:
    assert after(length, data) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"zz\r\n",
        b"\r\n",
        b"-1\r\n",
        b"1\nx\n",
        b"1\r\nxyy\r\n",
        b"1" * 5000,
        b"%x\r\n" % (1 << 40),
        b"1" * 16 + b"\r\n",
        b"0\r\n" + b"T: y\r\n" * 50_000,
        b"1\r\nx\r\n" * 50_000,
    ],
)
def test_broken_chunks(data: bytes) -> None:
    whole, _, broken = after(None, data)
    assert (whole, broken) == (True, True)


def test_what_is_too_long_is_not_awaited() -> None:
    assert after(MAX_BODY_BYTES, b"")[::2] == (True, True)
    assert after(MAX_BODY_BYTES - 1, b"")[::2] == (False, False)


@given(st.lists(st.binary(max_size=50)), st.binary(), st.integers(1, 20))
def test_any_split_is_the_same(chunks: list[bytes], behind: bytes, step: int) -> None:
    whole = chunked(chunks)
    buffer, body = bytearray(), Body(None)
    for place in range(0, len(whole), step):
        assert not body.take(buffer)
        buffer += whole[place : place + step]
    buffer += behind
    assert body.take(buffer)
    assert not body.broken
    assert bytes(buffer) == behind


@given(st.binary())
def test_garbage_raises_nothing(data: bytes) -> None:
    after(None, data)
