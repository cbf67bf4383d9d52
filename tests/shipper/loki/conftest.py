"""A scripted Loki, a clock that never waits, cursors that remember."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import cramjam
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shipper.loki.client import PushClient
from shipper.loki.encode import encode_push
from shipper.loki.outcome import Answer
from shipper.loki.settings import ClientSettings
from shipper.pipeline.entry import Entry


@dataclass
class Journal:
    """A cursor that remembers what it was told."""

    acknowledged: list[Entry] = field(default_factory=list)

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        assert entries, "an empty acknowledgement means nothing"
        self.acknowledged += entries


class Time:
    """Time that passes only when somebody waits for it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float, wake: asyncio.Event) -> None:
        """Let others run first; then, unless woken, be *seconds* later at once."""
        self.waits.append(seconds)
        for _ in range(5):
            await asyncio.sleep(0)
            if wake.is_set():
                return
        self.now += seconds


def decode(body: bytes) -> tuple[str, list[Entry]]:
    """Read a push the slow and simple way; only what `encode` can write."""
    if body.startswith(b"\x1f\x8b"):
        return decode_json(body)
    message = bytes(cramjam.snappy.decompress_raw(body))
    labels, entries = "", []
    for number, value in _fields(_only(message)):
        if number == 1:
            labels = value.decode()
        else:
            (_, stamp), (_, line), *pairs = _fields(value)
            (_, seconds), (_, nanos) = _fields(stamp)
            time = int.from_bytes(seconds) * 1_000_000_000 + int.from_bytes(nanos)
            entries.append(Entry(time, line, tuple(_pair(text) for _, text in pairs)))
    return labels, entries


def decode_json(body: bytes) -> tuple[str, list[Entry]]:
    (stream,) = json.loads(gzip.decompress(body))["streams"]
    labels = ", ".join(f'{name}="{value}"' for name, value in stream["stream"].items())
    entries = [
        Entry(int(time), line.encode(), tuple((rest or [{}])[0].items()))
        for time, line, *rest in stream["values"]
    ]
    return f"{{{labels}}}", entries


def _pair(message: bytes) -> tuple[str, str]:
    (_, name), (_, value) = _fields(message)
    return name.decode(), value.decode()


def _only(message: bytes) -> bytes:
    ((_, value),) = _fields(message)
    return value


def _fields(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(data):
        tag = varint()
        if tag & 7:
            size = varint()
            value = data[at : at + size]
            at += size
        else:
            value = varint().to_bytes(8)
        found.append((tag >> 3, value))
    return found


@dataclass
class Push:
    """One push as it arrived."""

    tenant: str
    labels: str
    entries: list[Entry]


class ScriptedLoki:
    """A `Pusher` whose answers a function decides; keeps what it said 204 to."""

    def __init__(self, script: Callable[[Push], Answer] | None = None) -> None:
        self.script = script or (lambda push: Answer(204))
        self.pushes: list[Push] = []
        self.stored: list[Push] = []
        self.hang = asyncio.Event()
        self.in_flight = self.most_in_flight = 0

    async def push(self, tenant: str, body: bytes) -> Answer:
        push = Push(tenant, *decode(body))
        self.pushes.append(push)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            answer = self.script(push)
            if answer.status == 0:
                await self.hang.wait()
        finally:
            self.in_flight -= 1
        if answer.status == 204:
            self.stored.append(push)
        return answer


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PUSH_PATH = "/loki/api/v1/push"
BODY = encode_push('{a="b"}', [Entry(1_000_000_005, b"hello")])


class Server:
    """Answers with *handler*; remembers what came."""

    def __init__(self) -> None:
        self.handler: Handler = self.stored
        self.reads = True
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.url = ""
        self.host = ""

    async def stored(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read() if self.reads else b""
        self.requests.append((dict(request.headers), body))
        return await self.handler(request)

    @property
    def settings(self) -> ClientSettings:
        return ClientSettings(url=self.url, host=self.host, timeout_seconds=5)


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Let a `Server` listen on a free port of loopback."""
    server = Server()
    app = web.Application()
    for path in (PUSH_PATH, "/config"):
        app.router.add_route("*", path, server.answer)
    listening = TestServer(app, scheme="https" if tls else "http")
    await listening.start_server(ssl=tls)
    server.url = str(listening.make_url(PUSH_PATH))
    server.host = f"{listening.host}:{listening.port}"
    try:
        yield server
    finally:
        await listening.close()


@pytest.fixture
async def loki() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


async def push(settings: ClientSettings, tenant: str = "") -> Answer:
    """Push one entry as a client of *settings*."""
    async with PushClient(settings) as client:
        return await client.push(tenant, BODY)


@pytest.fixture
def time() -> Time:
    return Time()
