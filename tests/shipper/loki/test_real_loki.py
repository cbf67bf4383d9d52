"""What we push, in the eyes of the real Loki, where ``LOKI=`` names its binary."""

from __future__ import annotations

import json
import os
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest

from shipper.loki.body import BODIES, Stream
from shipper.loki.client import PushClient
from shipper.loki.config_page import ConfigPage, parse_config
from shipper.loki.knowledge import Knowledge
from shipper.loki.learn import ask
from shipper.loki.loki_limits import UNKNOWN
from shipper.loki.outcome import Answer, Verdict, judge
from shipper.loki.settings import ClientSettings
from shipper.pipeline.entry import Entry
from tests.store.test_contract import (
    LOKI_CONFIG,
    PUSH,
    SECOND,
    Server,
    command,
    free_port,
    started,
)

from .test_config_page import LIMITS as DEFAULTS


pytestmark = [
    pytest.mark.oracle,
    pytest.mark.timeout(180),
    pytest.mark.skipif("LOKI" not in os.environ, reason="LOKI= names no Loki"),
]

Encoding = Literal["protobuf", "json"]
ENCODINGS: list[Encoding] = ["protobuf", "json"]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a Loki that wants tenants, and gives one of them limits of its own."""
    folder, port = tmp_path_factory.mktemp("loki"), free_port()
    words = command("loki", folder, port)
    config = LOKI_CONFIG.replace("auth_enabled: false", "auth_enabled: true")
    config = config.format(port=port, folder=folder)
    own = folder / "overrides.yaml"
    own.write_text("overrides:\n  wide:\n    max_line_size: 1MB\n")
    config += f"runtime_config: {{file: {own}}}\n"
    (folder / "loki.yaml").write_text(config)
    with started(words, folder, port) as server:
        yield server


@pytest.fixture
def stream() -> Stream:
    """Return a stream of this test alone."""
    return Stream.of((("app", uuid.uuid4().hex),))


def settings(real: Server, encoding: Encoding = "protobuf") -> ClientSettings:
    return ClientSettings(
        url=real.address + PUSH,
        host=real.address.removeprefix("http://"),
        push_encoding=encoding,
    )


async def push(
    config: ClientSettings, tenant: str, stream: Stream, *entries: Entry
) -> Answer:
    body = BODIES[config.push_encoding](stream, entries)
    async with PushClient(config) as client:
        return await client.push(tenant, body.data)


def stored(real: Server, tenant: str, stream: Stream) -> list[list[Any]]:
    """Return time, line and metadata of what *tenant* has of *stream*."""
    now = time.time_ns()
    span = {"start": now - 3600 * SECOND, "end": now + 60 * SECOND}
    query = urllib.parse.urlencode(
        {"query": stream.text, "direction": "forward", **span}
    )
    status, text = real.ask(
        f"/loki/api/v1/query_range?{query}",
        headers={
            "X-Scope-OrgID": tenant,
            "X-Loki-Response-Encoding-Flags": "categorize-labels",
        },
    )
    assert status == 200, text
    rows: list[list[Any]] = []
    for found in json.loads(text)["data"]["result"]:
        rows += found["values"]
    for row in rows:
        row[2] = row[2].get("structuredMetadata", {})
        row[2].pop("detected_level", None)  # Loki adds it
    return sorted(rows, key=lambda row: int(row[0]))


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_lines_and_metadata_come_back(
    real: Server, stream: Stream, encoding: Encoding
) -> None:
    now = time.time_ns()
    metadata = (("trace_id", "0af7651916cd43dd"), ("user", "größe"))
    entries = [
        Entry(now, b'say "hi"\\ \x01'),
        Entry(now + 1, "größe 日本".encode(), metadata),
        Entry(now + 2, b"", (("empty", ""),)),
    ]
    assert await push(settings(real, encoding), "a", stream, *entries) == Answer(204)
    assert stored(real, "a", stream) == [
        [str(now), 'say "hi"\\ \x01', {}],
        [str(now + 1), "größe 日本", dict(metadata)],
        [str(now + 2), "", {"empty": ""}],
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_bytes_that_are_no_utf8_spoil_nothing(
    real: Server, stream: Stream, encoding: Encoding
) -> None:
    now = time.time_ns()
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    shown = "caf "  # Loki itself shows U+FFFD in metadata as a blank
    entries = [Entry(now, b"caf\xe9", (("k", odd),)), Entry(now + 1, b"ok")]
    assert await push(settings(real, encoding), "a", stream, *entries) == Answer(204)
    assert stored(real, "a", stream) == [
        [str(now), "caf\ufffd", {"k": shown}],
        [str(now + 1), "ok", {}],
    ]


async def test_one_encoding_after_the_other_stores_once(
    real: Server, stream: Stream
) -> None:
    entry = Entry(time.time_ns(), b"x", (("k", "v"),))
    for encoding in (*ENCODINGS, *ENCODINGS):
        assert await push(settings(real, encoding), "a", stream, entry) == Answer(204)
    assert len(stored(real, "a", stream)) == 1


async def test_tenants_do_not_see_each_other(real: Server, stream: Stream) -> None:
    now = time.time_ns()
    for tenant in ("a", "b"):
        entry = Entry(now, tenant.encode())
        assert await push(settings(real), tenant, stream, entry) == Answer(204)
    assert [row[1] for row in stored(real, "a", stream)] == ["a"]
    assert [row[1] for row in stored(real, "b", stream)] == ["b"]
    by_header = replace(settings(real), headers={"x-scope-orgid": "c"})
    assert await push(by_header, "", stream, Entry(now, b"c")) == Answer(204)
    assert [row[1] for row in stored(real, "c", stream)] == ["c"]


async def test_no_tenant_is_held(real: Server, stream: Stream) -> None:
    found = await push(settings(real), "", stream, Entry(time.time_ns(), b"x"))
    assert (found.status, found.body.strip()) == (401, "no org id")
    assert judge(found, 1).verdict is Verdict.HOLD


@pytest.mark.parametrize("tenant", ["a/b", "ü", "a|b", "..", "x" * 151, "a\nb"])
async def test_a_tenant_that_cannot_be(
    real: Server, stream: Stream, tenant: str
) -> None:
    """Ours is for a person to set right; one that came with a line is not."""
    found = await push(settings(real), tenant, stream, Entry(time.time_ns(), b"x"))
    assert judge(found, 1).verdict is Verdict.HOLD, found
    outcome = judge(found, 1, own_tenant=False)
    assert outcome.verdict is Verdict.REFUSED, found
    assert outcome.dropped == {"invalid_tenant": 1}


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_part_that_is_refused_does_not_take_the_rest(
    real: Server, stream: Stream, encoding: Encoding
) -> None:
    now = time.time_ns()
    entries = [Entry(now - 8 * 86400 * SECOND, b"old"), Entry(now, b"new")]
    found = await push(settings(real, encoding), "a", stream, *entries)
    assert judge(found, 2).dropped == {"greater_than_max_sample_age": 1}
    assert [row[1] for row in stored(real, "a", stream)] == ["new"]


async def test_limits_that_some_tenants_do_not_have_are_not_believed(
    real: Server, stream: Stream
) -> None:
    """3.4.6 does not show a tenant's own limits: cutting by the others loses text."""
    knowledge = Knowledge(time.monotonic)
    async with PushClient(settings(real)) as client:
        page = await client.page("config")
        assert page
        assert parse_config(page.text) == ConfigPage(DEFAULTS, overridden=True)
        await ask(client, knowledge)
    assert knowledge.bounds("wide").limits == UNKNOWN
    long = Entry(time.time_ns(), b"x" * 300_000)
    assert (await push(settings(real), "a", stream, long)).status == 400
    assert await push(settings(real), "wide", stream, long) == Answer(204)
