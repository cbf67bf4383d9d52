from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.fpm.errors import FpmError
from exporters.nginx.fpm.status import MAX_CHILDREN, Child, PoolStatus, parse_status
from tests.nginx.fpm.pages import child, page


POOL = PoolStatus("www", 155, 31, 2, 5, 511, 1, 2, 3, 3, 4, 6, None, ())
IDLE = Child("Idle", 7, 850, 12.5, 2097152)


def test_a_page() -> None:
    status = parse_status(page(child(), child(pid=102, state="Running", cpu="0.00")))
    assert status.children == (IDLE, Child("Running", 7, 850, 0.0, 2097152))
    assert replace(status, children=()) == POOL


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        (page(peak=',"memory peak":8388608'), "memory_peak", 8388608),  # PHP 8.4
        (page(queue=""), "listen_queue", None),  # built where the kernel cannot tell
        (page(since=2**64 - 3), "start_since", 0),  # the clock was set back
        (page(since=2**63), "start_since", 0),
        (page(since=2**63 - 1), "start_since", 2**63 - 1),
        (page(start_time=""), "start_since", 155),
        (page(start_time="%s"), "start_since", 155),
        (page(start_time="26/Nov/2026:10:00:00 +0000"), "start_since", 155),
        (b'{"pool":"www"}', "accepted_connections", None),
        (b'{"pool": "www", "accepted conn": 1e2}', "accepted_connections", 100),
        (b'{"pool":"www","accepted conn":-1}', "accepted_connections", 0),
        (b'{"pool":"w\xff"}', "name", "w\N{REPLACEMENT CHARACTER}"),
        (b'{"pool":"w\\ud800"}', "name", "w?"),  # legal JSON, and no text
        (b'{"pool":"' + b"w" * 999 + b'"}', "name", "w" * 255),
    ],
)
def test_pools(body: bytes, field: str, value: float | None) -> None:
    assert getattr(parse_status(body), field) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (child(duration=2**64 - 842), Child("Idle", 7, 0, 12.5, 2097152)),
        (child(cpu="12,50"), IDLE),  # LC_NUMERIC
        (child(cpu="349.59"), Child("Idle", 7, 850, 349.59, 2097152)),
        (child(cpu="nan"), Child("Idle", 7, 850, 0.0, 2097152)),
        (child(cpu="-INF"), Child("Idle", 7, 850, 0.0, 2097152)),
        (child(cpu=None), Child("Idle", 7, 850, None, 2097152)),
        (child(state="(null)"), Child("(null)", 7, 850, 12.5, 2097152)),
        (child(state="x" * 99), Child("x" * 64, 7, 850, 12.5, 2097152)),
        (child(state="\\udfff"), Child("?", 7, 850, 12.5, 2097152)),
        (child(start_time=""), IDLE),
        ('{"state": "Idle"}', Child("Idle", None, None, None, None)),
    ],
)
def test_children(text: str, expected: Child) -> None:
    assert parse_status(page(text)).children == (expected,)


# What a visitor can send where php-fpm prints it as it is.
HOSTILE = (
    'a"b',
    "a\\",
    "\x01\t\n",
    '?q=|%20echo%20"Content-Type"%3Becho%20""',
    '","content length":0,"user":"-","script":"x',
    '","state":"Running","request duration":99,"x":"',
    '","last request cpu":99.00,"last request memory":1},{"x":"',
    '"request method":"',
    '"request method":"GET","last request cpu":',
    '"}]}',
    "\udcff",
)


@pytest.mark.parametrize("field", ["uri", "user", "script", "method"])
@pytest.mark.parametrize("text", HOSTILE)
def test_what_visitors_send(field: str, text: str) -> None:
    """None of it is read, so none of it can break the page or change a number."""
    hostile = child(pid=102, state="Running", **{field: text})  # type: ignore[arg-type]
    body = page(child(), hostile, child())
    status = parse_status(body)
    running = Child("Running", 7, 850, 12.5, 2097152)
    assert status.children == (IDLE, running, IDLE)


def test_as_another_program_would_print_it() -> None:
    body = json.dumps(json.loads(page(child())), indent=4).encode()
    assert parse_status(body).children == (IDLE,)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "expected a status page in JSON, got ''"),
        (b"pong", "expected a status page in JSON, got 'pong'"),
        (b"<html>", "expected a status page in JSON, got '<html>'"),
        (b"[]", "expected a status page in JSON, got '[]'"),
        (b"{}", "expected a status page in JSON, got '{}'"),
        (b'{"pool":1}', "expected a status page in JSON, got '{\"pool\":1}'"),
        (page()[:-1], 'expected a status page in JSON, got \'{"pool":"www"'),
        (b"[" * 200_000, "expected a status page in JSON, got '[[["),
        (
            b'{"pool":"w","accepted conn":' + b"1" * 5000 + b"}",
            "expected a status page",
        ),
        (b'{"pool":"w","accepted conn":"1"}', "accepted conn: expected a number, got"),
        (b'{"pool":"w","accepted conn":true}', "accepted conn: expected a number, got"),
        (b'{"pool":"w","processes":{}}', "processes: expected a list of at most 10000"),
        (b'{"pool":"w","processes":[1]}', "processes: expected objects that have a"),
        (b'{"pool":"w","processes":[{"state":1}]}', "processes: expected objects that"),
        (page(*["{}"] * (MAX_CHILDREN + 1)), "processes: expected a list of at most"),
    ],
)
def test_errors(body: bytes, error: str) -> None:
    with pytest.raises(FpmError) as raised:
        parse_status(body)
    assert str(raised.value).startswith(error)


def test_a_thousand_children() -> None:
    many = [child(uri="/" + "u" * 600) for _ in range(1000)]
    assert len(parse_status(page(*many)).children) == 1000


@pytest.mark.parametrize("text", [*HOSTILE, '"last request cpu":1', '"start time":'])
def test_no_page_takes_long(text: str) -> None:
    """Whatever 2 MB are made of, the time grows with their number only."""
    body = (text * (2_000_000 // len(text))).encode("utf-8", "surrogateescape")
    before = time.process_time()
    with pytest.raises(FpmError):
        parse_status(body)
    assert time.process_time() - before < 5


@given(st.binary(), st.sampled_from([b"", b'{"pool":"w","processes":[', page(child())]))
def test_never_anything_but_the_one_error(body: bytes, start: bytes) -> None:
    for data in (start + body, start[:-1] + body + b"}"):
        with suppress(FpmError):
            parse_status(data)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_text_of_a_visitor(uri: str, user: str, script: str) -> None:
    text = child(uri=uri, user=user, script=script)
    body = page(child(), "{").decode()[:-3].encode() + text.encode() + b"]}"
    assert parse_status(body).children == (IDLE, IDLE)
