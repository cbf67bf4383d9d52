from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from shipper.http.client import HttpClient
from shipper.http.resolver import KEPT_SECONDS, Found, Resolver

from .conftest import STORED, post, rig


class Loop:
    """Answers of getaddrinfo, counted, and a clock."""

    def __init__(self, *addresses: str, error: Exception | None = None) -> None:
        self.addresses = addresses
        self.error = error
        self.asked = 0
        self.now = 0.0

    def time(self) -> float:
        return self.now

    async def getaddrinfo(self, host: str, port: int, **_: int) -> list[Any]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return [(socket.AF_INET, 1, 6, "", (each, port)) for each in self.addresses]


def made(loop: Loop) -> Resolver:
    return Resolver(loop)  # type: ignore[arg-type]


async def test_an_address_is_its_own_answer() -> None:
    loop = Loop()
    resolver = made(loop)
    assert await resolver.resolve("127.0.0.1", 1) == [
        Found(socket.AF_INET, ("127.0.0.1", 1))
    ]
    assert await resolver.resolve("::1", 1) == [Found(socket.AF_INET6, ("::1", 1))]
    assert not loop.asked


async def test_one_question_for_many_and_turns() -> None:
    loop = Loop("10.0.0.1", "10.0.0.2")
    resolver = made(loop)
    together = await asyncio.gather(*(resolver.resolve("h", 1) for _ in range(9)))
    assert loop.asked == 1
    assert [found[0].address for found in together] == [("10.0.0.1", 1)] * 9
    firsts = [(await resolver.resolve("h", 1))[0].address[0] for _ in range(3)]
    assert firsts == ["10.0.0.2", "10.0.0.1", "10.0.0.2"]
    loop.now += KEPT_SECONDS
    await resolver.resolve("h", 1)
    assert loop.asked == 2


async def test_a_failure_is_not_kept() -> None:
    loop = Loop(error=socket.gaierror(socket.EAI_NONAME, "no"))
    resolver = made(loop)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await resolver.resolve("h", 1)
    assert loop.asked == 2
    loop.error = None
    with pytest.raises(socket.gaierror, match="No address"):
        await resolver.resolve("h", 1)


async def test_who_gives_up_takes_nobody_with_it() -> None:
    resolver = made(Loop("10.0.0.1"))
    first = asyncio.create_task(resolver.resolve("h", 1))
    second = asyncio.create_task(resolver.resolve("h", 1))
    await asyncio.sleep(0)
    first.cancel()
    assert len(await second) == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_the_end_leaves_no_task() -> None:
    resolver = made(Loop("10.0.0.1"))
    asked = asyncio.create_task(resolver.resolve("h", 1))
    await asyncio.sleep(0)
    resolver.close()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert len(asyncio.all_tasks()) == 1


async def test_of_several_addresses_one_that_answers(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig() as server:
        server.add(server.answering(STORED))

        async def resolve(_: Resolver, host: str, port: int) -> list[Found]:
            assert host == "loki"
            there = Found(socket.AF_INET, ("127.0.0.1", port))
            return [Found(socket.AF_INET, ("127.0.0.2", port)), there]

        monkeypatch.setattr(Resolver, "resolve", resolve)
        assert (await http.ask(post(server.url._replace(host="loki")))).status == 204
