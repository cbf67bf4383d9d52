"""The client against an HTTP server on loopback that says what Loki can say."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shipper.loki.client import PushClient
from shipper.loki.encode import encode_push
from shipper.loki.headers import USER_AGENT, Credentials, authorize, build_headers
from shipper.loki.outcome import TRANSPORT, Answer, Verdict, judge
from shipper.loki.settings import ClientSettings
from shipper.loki.trip import MAX_ANSWER_BYTES
from shipper.pipeline.entry import Entry

from .conftest import decode


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH = "/loki/api/v1/push"


class Server:
    """Answers with *handler*; remembers what came."""

    def __init__(self) -> None:
        self.handler: Handler = self.stored
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.url = ""
        self.host = ""

    async def stored(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        return await self.handler(request)

    @property
    def settings(self) -> ClientSettings:
        return ClientSettings(url=self.url, host=self.host, timeout_seconds=5)


@pytest.fixture
async def loki() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_post(PATH, server.answer)
    async with TestServer(app) as listening:
        server.url = str(listening.make_url(PATH))
        server.host = f"{listening.host}:{listening.port}"
        yield server


async def push(settings: ClientSettings, tenant: str = "") -> Answer:
    async with PushClient(settings) as client:
        body = encode_push('{a="b"}', [Entry(1_000_000_005, b"hello")])
        return await client.push(tenant, body)


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
    settings = ClientSettings(url=f"http://{host}{PATH}", host=host)
    refused = "cannot connect: Connection refused"
    assert await push(settings) == Answer(TRANSPORT, refused, connected=False)
    async with PushClient(settings) as client:
        assert await client.probe() == refused


async def test_probe_of_one_that_listens(loki: Server) -> None:
    async with PushClient(loki.settings) as client:
        assert await client.probe() is None
    assert not loki.requests, "a probe asks for nothing"


async def test_a_redirect_keeps_the_body(loki: Server) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if len(loki.requests) == 1:
            raise web.HTTPTemporaryRedirect(PATH)
        return web.Response(status=204)

    loki.handler = answer
    assert await push(loki.settings) == Answer(204)
    assert loki.requests[0][1] == loki.requests[1][1]


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


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        (Credentials(), ""),
        (Credentials(username="u", password="p:ß"), "Basic dTpwOsOf"),
        (Credentials(username="u"), "Basic dTo="),
        (Credentials(scheme="Bearer", token="t"), "Bearer t"),
        (Credentials(scheme="ApiKey", token="t"), "ApiKey t"),
    ],
)
def test_authorization(credentials: Credentials, header: str) -> None:
    assert authorize(credentials) == header
    assert "p:ß" not in repr(credentials)


def test_custom_headers_do_not_replace_those_of_the_protocol() -> None:
    extra = {"content-type": "x", "USER-AGENT": "x", "X-Scope-OrgID": "x", "X-A": "b"}
    assert build_headers("t", extra) == {
        "Content-Type": "application/x-protobuf",
        "User-Agent": USER_AGENT,
        "X-Scope-OrgID": "t",
        "X-A": "b",
    }
    assert build_headers("", extra)["X-Scope-OrgID"] == "x"
