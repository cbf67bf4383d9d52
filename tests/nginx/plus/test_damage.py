"""Damaged answers: metrics or one line in the log, and never anything else."""

from __future__ import annotations

import json
import logging
import math
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from exporters.nginx.errors import ScrapeError
from exporters.nginx.plus.collector import PlusCollector
from exporters.nginx.plus.document import parse
from exporters.toolkit.exposition import encode
from tests.nginx.plus.server import (
    MemorySession,
    RecordedApi,
    Reply,
    documents,
    replaced,
    reply,
)


RECORDED = documents()
ENDPOINTS = sorted((*RECORDED, "", "stream"))
Path = tuple[str | int, ...]

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 2**63, 2**64 - 1, 2**64, 10**400])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=()))
            | st.sampled_from(["peers", "server", "zones", "status", "codes", "pid"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def _paths(document: Any, path: Path = ()) -> list[Path]:
    found = [path]
    pairs: Any = ()
    if isinstance(document, dict):
        pairs = document.items()
    elif isinstance(document, list):
        pairs = enumerate(document)
    for key, value in pairs:
        found += _paths(value, (*path, key))
    return found


PLACES = [
    (endpoint, path)
    for endpoint, document in RECORDED.items()
    for path in _paths(document)
]


class Lines(logging.Handler):
    """Keep what is logged, example by example."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.errors.append(record.__dict__["fields"].get("error", ""))


async def _outcome(answers: dict[str, Reply | None]) -> None:
    lines, log = Lines(), logging.getLogger("exporters.nginx.plus")
    log.addHandler(lines)
    try:
        session = MemorySession(RecordedApi(answers=answers))
        families = await PlusCollector([session], {}, 30).collect(None)
    finally:
        log.removeHandler(lines)
    encode(families, pytest.fail).decode()
    up = families[0].samples[0].value
    assert len(families) == 1 or up == 1
    for line in lines.errors:
        assert "unexpected" not in line
        assert len(line) < 1000
        assert line.isprintable()
    assert len(lines.errors) == 1 or (up == 1 and len(lines.errors) <= 2)
    for family in families:
        assert all(math.isfinite(sample.value) for sample in family.samples)


@settings(deadline=None, max_examples=150)
@given(place=st.sampled_from(PLACES), value=VALUES)
async def test_another_value(place: tuple[str, Path], value: Any) -> None:
    endpoint, path = place
    await _outcome({endpoint: reply(replaced(RECORDED[endpoint], path, value))})


@settings(deadline=None, max_examples=100)
@given(
    endpoint=st.sampled_from(ENDPOINTS),
    start=st.integers(0, 10_000),
    length=st.integers(0, 50),
    instead=st.binary(max_size=20),
)
async def test_other_bytes(
    endpoint: str, start: int, length: int, instead: bytes
) -> None:
    body = json.dumps(RECORDED.get(endpoint, ["http", "stream"])).encode()
    at = start % len(body)
    await _outcome({endpoint: Reply(200, body[:at] + instead + body[at + length :])})


@settings(deadline=None, max_examples=60)
@given(
    endpoint=st.sampled_from(ENDPOINTS),
    status=st.integers(100, 599),
    body=st.binary(max_size=80) | VALUES.map(lambda each: json.dumps(each).encode()),
)
async def test_another_answer(endpoint: str, status: int, body: bytes) -> None:
    await _outcome({endpoint: Reply(status, body)})


@settings(deadline=None)
@given(
    st.binary(max_size=200)
    | st.text('[]{}"\\:,0123456789.eE+-truefalsn\ud800 ').map(
        lambda each: each.encode("utf-8", "surrogatepass")
    )
)
def test_bytes_are_a_document_or_the_one_error(body: bytes) -> None:
    try:
        json.dumps(parse(body), allow_nan=True)
    except ScrapeError as error:
        assert str(error).startswith("expected JSON, got ")  # noqa: PT017


NOT_JSON = (
    (b"", "'': Expecting value at character 0"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"a":' * 100_000, "nested too deeply"),
    (b"9" * 5000, "Exceeds the limit"),
    (b"NaN", "'NaN': NaN is not a JSON number"),
    (b"[-Infinity]", "-Infinity is not a JSON number"),
    (b"\xef\xbb\xbf{}", "Unexpected UTF-8 BOM"),
    (b"{} {}", "Extra data at character 3"),
    (b"{'a': 1}", "Expecting property name"),
)


@pytest.mark.parametrize(("body", "reason"), NOT_JSON)
def test_not_json(body: bytes, reason: str) -> None:
    with pytest.raises(ScrapeError) as caught:
        parse(body)
    assert str(caught.value).startswith("expected JSON, got ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b' {"a": [1, -2, 3.5, true, null]}\n', {"a": [1, -2, 3.5, True, None]}),
        (b'"\xff"', "\ufffd"),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"18446744073709551615", 2**64 - 1),
    ],
)
def test_json(body: bytes, document: object) -> None:
    assert parse(body) == document
