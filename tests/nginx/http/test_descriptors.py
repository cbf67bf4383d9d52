from __future__ import annotations

import asyncio
import resource
import subprocess
import sys

import pytest

from exporters.nginx.http.descriptors import MAX_AT_ONCE, Descriptors
from tests.nginx.conftest import Connect, always, fake_nginx, page, response


PATIENCE = 30.0


async def _free(slots: asyncio.Semaphore) -> int:
    count = 0
    while not slots.locked():
        await slots.acquire()
        count += 1
    return count


def _keepers(descriptors: Descriptors) -> int:
    count = 0
    while descriptors.claim():
        count += 1
    return count


@pytest.mark.parametrize(
    ("limit", "at_once", "keepers"),
    [
        (1024, 448, 112),
        (256, 64, 16),
        (64, 16, 4),
        (4, 1, 0),
        (1, 1, 0),
        (1_048_576, MAX_AT_ONCE, 131_056),
    ],
)
async def test_shares(limit: int, at_once: int, keepers: int) -> None:
    descriptors = Descriptors(limit)
    assert await _free(descriptors.slots) == at_once
    assert _keepers(descriptors) == keepers
    descriptors.release()
    assert _keepers(descriptors) == 1
    assert at_once + 4 * keepers <= max(limit, 1), "never more than there are"


async def test_no_limit() -> None:
    assert await _free(Descriptors(resource.RLIM_INFINITY).slots) == MAX_AT_ONCE


async def test_a_client_beyond_the_share_keeps_no_connection(connect: Connect) -> None:
    descriptors = Descriptors(32)
    async with fake_nginx(always(response(page()))) as (fake, uri):
        clients = [await connect(uri, descriptors=descriptors) for _ in range(3)]
        for client in clients * 2:
            await client.fetch(PATIENCE)
        assert fake.connections == 2 + 2 * 1
        async with clients[0]:
            pass
        another = await connect(uri, descriptors=descriptors)
        for _ in range(2):
            await another.fetch(PATIENCE)
        assert fake.connections == 2 + 2 * 1 + 1, "its place was free again"


async def test_no_more_at_once_than_there_are_slots(connect: Connect) -> None:
    descriptors = Descriptors(16)
    most = under_way = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        writer.write(response(page()))

    async with fake_nginx(answer) as (fake, uri):
        client = await connect(uri, descriptors=descriptors)
        await asyncio.gather(*[client.fetch(PATIENCE) for _ in range(20)])
    assert len(fake.requests) == 20
    assert most <= 4


def test_the_soft_limit_is_raised_as_go_does() -> None:
    code = """
import resource
from exporters.nginx.http.descriptors import raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
raise_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"(200, 200)\n"
