from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.answer import Answer
from exporters.nginx.http.client import Client
from exporters.nginx.http.together import ask_together
from tests.nginx.conftest import Connect, FakeNginx, always, fake_nginx, page, response


PATIENCE = 30.0
OK = response(page())
ANSWER = Answer(200, page())


async def test_nobody_is_asked() -> None:
    assert await ask_together([], PATIENCE) == []


async def test_each_has_its_own_answer_in_order(connect: Connect) -> None:
    async with AsyncExitStack() as stack:
        clients = []
        for number in range(20):
            served = fake_nginx(always(response(b"%d" % number)))
            _, uri = await stack.enter_async_context(served)
            clients.append(await connect(uri))
        for _ in range(2):  # the second time over kept connections
            answers = await ask_together(clients, PATIENCE)
            assert answers == [Answer(200, b"%d" % number) for number in range(20)]


async def test_over_kept_connections_nobody_has_a_task(connect: Connect) -> None:
    async with fake_nginx(always(OK)) as (fake, uri):
        clients = [await connect(uri) for _ in range(10)]
        await ask_together(clients, PATIENCE)
        before = asyncio.all_tasks()
        asking = asyncio.create_task(ask_together(clients, PATIENCE))
        await asyncio.sleep(0)  # it has begun
        assert asyncio.all_tasks() - before == {asking}
        assert await asking == [ANSWER] * 10
        assert fake.connections == 10


async def test_who_is_closed_or_leads_elsewhere_is_asked_anew(connect: Connect) -> None:
    async with (
        fake_nginx(always(OK)) as (elsewhere, there),
        fake_nginx(always(OK, close=True)) as (closing, a),
        fake_nginx(always(OK)) as (fake, b),
    ):
        clients = [await connect(a), await connect(b)]
        assert await ask_together(clients, PATIENCE) == [ANSWER] * 2
        fake.answer = always(response(b"", "302 Found", f"Location: {there}"))
        for _ in range(3):
            assert await ask_together(clients, PATIENCE) == [ANSWER] * 2
        assert closing.connections == 4
        assert fake.connections == 1
        # The first time it came as a surprise and was asked twice.
        assert len(fake.requests) == 1 + 2 + 1 + 1
        assert len(elsewhere.requests) == 3
        fake.answer = always(OK)
        for _ in range(2):
            assert await ask_together(clients, PATIENCE) == [ANSWER] * 2
        assert len(elsewhere.requests) == 3


async def _hung(fake: FakeNginx) -> None:
    async def hang(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    fake.answer = hang


@pytest.mark.parametrize("kept", [False, True])
async def test_who_hangs_costs_only_itself(connect: Connect, kept: bool) -> None:
    async with fake_nginx(always(OK)) as (_, a), fake_nginx(always(OK)) as (fake, b):
        clients = [await connect(a), await connect(b)]
        if kept:
            await ask_together(clients, PATIENCE)
        await _hung(fake)
        good, late = await ask_together(clients, 0.2)
        assert good == ANSWER
        assert str(late) == "no complete answer within 0.2s"
        await fake.close()  # nothing of it is left open on this side
        fake.answer = always(OK)
        assert await ask_together(clients, PATIENCE) == [ANSWER] * 2


@pytest.mark.parametrize("kept", [False, True])
async def test_who_gives_up_leaves_nothing_behind(connect: Connect, kept: bool) -> None:
    async with fake_nginx(always(OK)) as (fake, uri):
        clients = [await connect(uri), await connect(uri)]
        if kept:
            await ask_together(clients, PATIENCE)
        await _hung(fake)
        fake.asked.clear()
        asking = asyncio.create_task(ask_together(clients, PATIENCE))
        await fake.asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert [client.take_kept() for client in clients] == [None, None]


async def test_a_fault_is_that_of_one(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_nginx(always(OK)) as (_, a), fake_nginx(always(OK)) as (fake, b):
        clients = [await connect(a), await connect(b)]
        await ask_together(clients, PATIENCE)
        fake.answer = always(b"junk\r\n\r\n")
        good, bad = await ask_together(clients, PATIENCE)
        assert good == ANSWER
        assert isinstance(bad, ScrapeError)

        async def broken(_: Client) -> None:
            raise KeyError

        monkeypatch.setattr(Client, "get", broken)
        good, bad = await ask_together(clients, PATIENCE)
        assert good == ANSWER, "over its kept connection"
        assert isinstance(bad, KeyError)
