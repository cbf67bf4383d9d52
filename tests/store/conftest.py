from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cramjam
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from shipper.store.app import run
from shipper.store.limits import Limits
from shipper.store.settings import RetentionPolicy, Settings


SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
JSON = {"Content-Type": "application/json"}
PUSH = "/loki/api/v1/push"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


class Store:
    """A store in this process behind a real socket."""

    def __init__(self, client: TestClient[Any, Any], clock: Clock) -> None:
        self.client = client
        self.clock = clock

    async def push(
        self,
        lines: Sequence[Sequence[Any]],
        labels: Mapping[str, str] | None = None,
        **headers: str,
    ) -> tuple[int, str]:
        """Push (time, text) pairs of one stream as JSON."""
        stream = {"container": "c"} if labels is None else labels
        values = [[str(line[0]), *line[1:]] for line in lines]
        return await self.push_streams([(stream, values)], **headers)

    async def push_streams(
        self, streams: Sequence[tuple[Mapping[str, str], Any]], **headers: str
    ) -> tuple[int, str]:
        body = {"streams": [{"stream": s, "values": v} for s, v in streams]}
        return await self.send(json.dumps(body).encode(), **{**JSON, **headers})

    async def send(self, body: bytes | io.BytesIO, **headers: str) -> tuple[int, str]:
        async with self.client.post(PUSH, data=body, headers=headers) as response:
            return response.status, await response.text()

    async def get(self, path: str, **params: Any) -> tuple[int, str]:
        url = f"/loki/api/v1/{path}"
        async with self.client.get(url, params=params) as response:
            return response.status, await response.text()

    async def data(self, path: str, **params: Any) -> Any:
        status, text = await self.get(path, **params)
        assert status == 200, text
        answer = json.loads(text)
        assert answer["status"] == "success"
        return answer.get("data", [])

    async def lines(self, query: str, **params: Any) -> list[tuple[int, str]]:
        """Return (time, text) of a log query over everything, streams in a row."""
        params = {"start": 1, "end": NOW * 2, "limit": 5000, **params}
        data = await self.data("query_range", query=query, **params)
        assert data["resultType"] == "streams"
        return [(int(t), x) for s in data["result"] for t, x in s["values"]]

    async def count(self, query: str = '{container=~".+"}') -> int:
        params = {
            "query": f"sum(count_over_time({query}[30d]))",
            "time": self.clock.now,
        }
        data = await self.data("query", **params)
        return int(data["result"][0]["value"][1]) if data["result"] else 0


Open = Callable[..., Any]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Open:
    """Open a store with other limits: ``async with opened(max_streams=1) as store``."""

    @asynccontextmanager
    async def open_store(
        *,
        auth_enabled: bool = False,
        policy: RetentionPolicy | None = None,
        **limits: Any,
    ) -> AsyncIterator[Store]:
        # A year's range is no trouble for a test; a level on each line would be.
        limits = {"max_query_length_ns": 0, "discover_log_levels": False, **limits}
        settings = Settings(
            path=str(tmp_path / "logs.db"),
            auth_enabled=auth_enabled,
            limits=Limits(**limits),
            policy=policy or RetentionPolicy(),
            clock=clock,
        )
        stop = asyncio.Event()
        ready: asyncio.Future[TestClient[Any, Any]] = asyncio.Future()

        async def serving(app: web.Application, until: asyncio.Event) -> None:
            server = TestServer(app)
            async with TestClient(server) as client:
                ready.set_result(client)
                await until.wait()

        running = asyncio.ensure_future(run(settings, stop, serving))
        try:
            either: set[asyncio.Future[Any]] = {running, ready}
            await asyncio.wait(either, return_when="FIRST_COMPLETED")
            if running.done():
                running.result()
            yield Store(ready.result(), clock)
        finally:
            stop.set()
            await running

    return open_store


@pytest.fixture
async def store(opened: Open) -> AsyncIterator[Store]:
    async with opened() as one:
        yield one


def zipped(body: bytes) -> bytes:
    return gzip.compress(body)


def snappy(message: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(message))
