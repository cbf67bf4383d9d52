"""The client against an HTTP server on loopback that says what Loki can say."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from shipper.loki.client import PushClient
from shipper.loki.headers import USER_AGENT, AddedHeader, Credentials
from shipper.loki.outcome import TRANSPORT, Answer, Verdict, judge
from shipper.loki.settings import ClientSettings
from shipper.loki.trip import MAX_ANSWER_BYTES
from shipper.pipeline.entry import Entry

from .conftest import BODY, PUSH_PATH, Server, decode, push


async def test_a_push_as_promtail_makes_it(loki: Server) -> None:
    assert await push(loki.settings, "team-a") == Answer(204)
    ((headers, body),) = loki.requests
    assert decode(body) == ('{a="b"}', [Entry(1_000_000_005, b"hello")])
    assert headers["Content-Type"] == "application/x-protobuf"
    assert headers["User-Agent"] == USER_AGENT
    assert headers["X-Scope-OrgID"] == "team-a"
    assert "Authorization" not in headers
    assert "Content-Encoding" not in headers


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, "", Verdict.HOLD),
        (260, "ingestion blocked", Verdict.HOLD),
        (400, "couldn't parse labels: 1:3: parse error", Verdict.REFUSED),
        (401, "no org id", Verdict.HOLD),
        (413, "", Verdict.SPLIT),
        (429, "Ingestion rate limit exceeded", Verdict.LIMITED),
        (500, "grpc: received message larger than max (2 vs. 1)", Verdict.SPLIT),
        (503, "", Verdict.RETRY),
    ],
)
async def test_status_and_body_come_back(
    loki: Server, status: int, body: str, verdict: Verdict
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body, headers={"Retry-After": "3"})

    loki.handler = answer
    found = await push(loki.settings)
    assert found == Answer(status, body, 3.0)
    assert judge(found, 1).verdict is verdict


async def test_a_404_is_not_the_fault_of_the_entries(loki: Server) -> None:
    found = await push(replace(loki.settings, url=loki.url + "/wrong"))
    assert judge(found, 1).verdict is Verdict.HOLD


async def test_an_endless_answer_is_cut(loki: Server) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=400, body=b"x" * (2 * MAX_ANSWER_BYTES))

    loki.handler = answer
    assert len((await push(loki.settings)).body) == MAX_ANSWER_BYTES


async def test_no_answer_in_time(loki: Server) -> None:
    never = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response(status=204)

    loki.handler = answer
    found = await push(replace(loki.settings, timeout_seconds=0.1))
    never.set()
    assert found == Answer(TRANSPORT, "no answer within 0.1 s")


async def test_a_connection_that_is_cut(loki: Server) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.close()
        return web.Response(status=204)

    loki.handler = answer
    found = await push(loki.settings)
    assert (found.status, found.connected) == (TRANSPORT, True)
    assert found.body


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def test_nobody_listens() -> None:
    host = f"127.0.0.1:{closed_port()}"
    settings = ClientSettings(url=f"http://{host}{PUSH_PATH}", host=host)
    refused = "cannot connect: Connection refused"
    assert await push(settings) == Answer(TRANSPORT, refused, connected=False)
    async with PushClient(settings) as client:
        assert await client.probe() == refused


async def test_probe_of_one_that_listens(loki: Server) -> None:
    async with PushClient(loki.settings) as client:
        assert await client.probe() is None
    assert not loki.requests, "a probe asks for nothing"


async def test_a_secret_is_read_anew_for_each_push(
    loki: Server, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    settings = replace(
        loki.settings, credentials=Credentials(scheme="Bearer", token_file=str(file))
    )
    missing = await push(settings)
    assert missing.status == TRANSPORT
    assert str(file) in missing.body
    for token in ("one", "two"):
        file.write_text(token + "\n")
        assert (await push(settings)).status == 204
    sent = [headers["Authorization"] for headers, _ in loki.requests]
    assert sent == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize("tenant", ["a\nb", "a\x00", "\udcff", "a'\nb"])
async def test_a_tenant_that_is_no_header_is_not_even_asked_for(
    loki: Server, tenant: str
) -> None:
    """aiohttp raises here; Go's answer is an error that is tried again."""
    found = await push(loki.settings, tenant)
    assert not loki.requests
    assert judge(found, 1, own_tenant=False).dropped == {"invalid_tenant": 1}


async def test_a_secret_that_is_no_header_is_tried_again_when_it_is_set_right(
    loki: Server, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("two\nlines")
    settings = replace(
        loki.settings,
        credentials=Credentials(scheme="Bearer", token_file=str(file)),
        added_headers=(AddedHeader("X-A", files=(str(file),)),),
    )
    async with PushClient(settings) as client:
        found = await client.push("", BODY)
        assert judge(found, 1).verdict is Verdict.RETRY
        assert "one line of text" in found.body
        assert "two" not in found.body
        file.write_text("one")
        assert await client.push("", BODY) == Answer(204)
    assert loki.requests[0][0]["X-A"] == "one"


async def test_an_address_of_another_alphabet_is_one(loki: Server) -> None:
    found = await push(replace(loki.settings, url=loki.url + "/größe?ü"))
    assert found.status == 404
