"""The proxy must do what its faults say, or the scenarios prove nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.chaos import faults
from tests.chaos.diary import Diary
from tests.chaos.faults import Fault, Proxy


@asynccontextmanager
async def proxied(stored: list[bytes]) -> AsyncIterator[Proxy]:
    async def push(request: web.Request) -> web.Response:
        stored.append(await request.read())
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/push", push)
    async with TestServer(app) as server:
        proxy = Proxy(str(server.make_url("")), random.Random(7), Diary())
        async with proxy.running():
            yield proxy


async def post(proxy: Proxy, body: bytes = b"x", tenant: str = "") -> int | None:
    """Return the status, or None when there was no answer."""
    headers = {faults.TENANT: tenant} if tenant else {}
    url = f"http://127.0.0.1:{proxy.port}/push"
    timeout = aiohttp.ClientTimeout(total=0.5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        try:
            async with session.post(url, data=body, headers=headers) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None


@pytest.mark.parametrize(
    ("fault", "status", "count"),
    [
        (faults.PASS, 204, 1),
        (faults.REFUSED, None, 0),
        (faults.BUSY, 429, 0),
        (faults.BROKEN, 500, 0),
        (faults.UNKNOWN, 400, 0),
        (faults.LARGE, 413, 0),
        (faults.LARGER, 204, 1),
        (faults.SILENT, None, 0),
        (faults.CUT, None, 1),
        (replace(faults.SLOW, delay=0.01), 204, 1),
    ],
)
async def test_each_fault(fault: Fault, status: int | None, count: int) -> None:
    stored: list[bytes] = []
    async with proxied(stored) as proxy:
        async with proxy.during(fault):
            assert await post(proxy) == status
            assert len(stored) == count
        assert await post(proxy) == 204
        assert len(stored) == count + 1


async def test_larger_bodies_only() -> None:
    async with proxied([]) as proxy, proxy.during(faults.LARGER):
        assert await post(proxy, b"x" * 500) == 204
        assert await post(proxy, b"x" * 501) == 413


async def test_a_share_of_the_requests() -> None:
    async with proxied([]) as proxy:
        async with proxy.during(replace(faults.BROKEN, share=0.5)):
            statuses = [await post(proxy) for _ in range(40)]
        assert 5 < statuses.count(500) < 35
        assert statuses.count(500) == proxy.answers["500"]


async def test_a_tenant_is_refused() -> None:
    async with proxied([]) as proxy:
        proxy.refused_tenants.add("a")
        assert (await post(proxy, tenant="a"), await post(proxy, tenant="b")) == (
            401,
            204,
        )


async def test_a_store_that_is_away_looks_as_if_asked_itself() -> None:
    proxy = Proxy("http://127.0.0.1:9", random.Random(7), Diary())
    async with proxy.running():
        assert await post(proxy) is None
        assert proxy.answers["no store"] == 1


async def test_silence_ends_with_the_fault() -> None:
    stored: list[bytes] = []
    async with proxied(stored) as proxy:
        await proxy.set(faults.SILENT)
        waiting = asyncio.create_task(post(proxy))
        async with asyncio.timeout(5):
            while not proxy.answers["silence"]:  # noqa: ASYNC110  # no event for it
                await asyncio.sleep(0.01)
        await proxy.set(faults.PASS)
        assert await waiting is None
        assert stored == []
