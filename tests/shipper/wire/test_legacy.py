from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from shipper.pipeline.entry import Entry
from shipper.wire.errors import DecodeError
from shipper.wire.legacy import decode_legacy
from shipper.wire.model import PushStream


def body(time: str) -> bytes:
    return (
        b'{"streams": [{"labels": "{}", "entries": [{"ts": "%s", "line": "x"}]}]}'
        % time.encode()
    )


@pytest.mark.parametrize(
    ("time", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T01:00:00.000000001+01:00", 1),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1969-12-31T23:00:00-01:00", 0),
    ],
)
def test_times(time: str, nanoseconds: int) -> None:
    found = decode_legacy(body(time))
    assert found == [PushStream("{}", [Entry(nanoseconds, b"x")])]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b'{"streams": 1}', b'{"streams": [1]}',
        b'{"streams": [{"labels": 1}]}', b'{"streams": [{"entries": [1]}]}',
        b'{"streams": [{"entries": [{"ts": 1}]}]}', body("today"),
        body("2026-02-30T00:00:00Z"), body("2026-02-03"),
    ],
)  # fmt: skip
def test_what_is_no_push(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_legacy(data)


def test_nothing() -> None:
    assert decode_legacy(b"{}") == []
    assert decode_legacy(b'{"streams": [{"labels": "{}", "entries": null}]}') == [
        PushStream("{}", [])
    ]


def test_half_a_surrogate_pair_is_what_go_makes_of_it() -> None:
    data = (
        rb'{"streams": [{"labels": "{a=\"\ud800\"}", "entries": '
        rb'[{"ts": "1970-01-01T00:00:00Z", "line": "\udc80"}]}]}'
    )
    assert decode_legacy(data) == [
        PushStream('{a="\ufffd"}', [Entry(0, "\ufffd".encode())])
    ]


@given(st.binary() | st.text().map(body))
def test_any_bytes(data: bytes) -> None:
    with suppress(DecodeError):
        decode_legacy(data)
