"""Requests over real sockets, with everything that servers do to them."""

from __future__ import annotations

import asyncio

import pytest

from shipper.http.client import HttpClient, Question
from shipper.http.connector import Way
from shipper.http.faults import (
    DamagedError,
    HttpError,
    NoAnswerError,
    UnreachableError,
)
from shipper.http.fields import Fields
from shipper.http.url import read_url

from .conftest import STORED, Call, Talk, post, rig


BIG = bytes(range(256)) * (16 << 12)  # 16 MiB: more than any socket buffers
TOO_LARGE = b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge"


async def test_what_is_sent(http: HttpClient) -> None:
    async with rig() as server:
        server.add(server.answering(STORED))
        headers = Fields([("X-A", "1"), ("x-a", "ß"), ("Accept-Encoding", "br")])
        reply = await http.ask(Question("POST", server.url, headers, 9, b"body"))
    assert (reply.status, reply.body) == (204, b"")
    head = (
        f"POST /push?x=1 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "X-A: 1\r\nx-a: ß\r\nAccept-Encoding: br\r\nAccept: */*\r\n"
        "Content-Length: 4\r\n\r\n"
    )
    assert server.requests == [(head.encode(), b"body")]


async def test_a_get_has_no_body(http: HttpClient) -> None:
    async with rig() as server:
        server.add(server.answering(STORED))
        await http.ask(Question("GET", server.url, Fields(), 9))
    assert b"Content-Length" not in server.requests[0][0]


async def test_a_login_in_the_address_is_sent(http: HttpClient) -> None:
    async with rig() as server:
        server.add(server.answering(STORED))
        await http.ask(post(server.url._replace(authorization="Basic eDp5")))
    assert b"Authorization: Basic eDp5\r\n" in server.requests[0][0]


async def test_a_connection_is_used_again(http: HttpClient) -> None:
    async with rig() as server:
        server.add(server.answering(*[STORED] * 5))
        for _ in range(5):
            await http.ask(post(server.url))
        assert server.calls == 1


async def test_each_question_at_once_has_a_connection(http: HttpClient) -> None:
    async with rig() as server:
        server.add(server.answering(STORED, STORED))
        for _ in range(2):
            await asyncio.gather(*(http.ask(post(server.url)) for _ in range(20)))
        assert server.calls == 20


async def test_a_large_body_waits_for_a_slow_server(http: HttpClient) -> None:
    taken: list[int] = []

    async def slowly(call: Call) -> None:
        await call.head()
        left = len(BIG)
        while left:
            data = await call.reader.read(1 << 16)
            assert data == BIG[len(BIG) - left :][: len(data)]
            left -= len(data)
            taken.append(len(data))
        await call.say(STORED)
        _, body = await call.request()
        assert body == b"again"
        await call.say(STORED)

    async with rig(slowly) as server:
        assert (await http.ask(post(server.url, BIG))).status == 204
        assert (await http.ask(post(server.url, b"again"))).status == 204
        assert server.calls == 1, "all was sent, so it is kept"
    assert sum(taken) == len(BIG)


async def test_an_answer_before_all_was_sent(http: HttpClient) -> None:
    """Who sends the rest of a body into an answered request is a bad neighbour."""
    released = asyncio.Event()

    async def refuse(call: Call) -> None:
        await call.head()
        await call.say(TOO_LARGE)
        await released.wait()

    async with rig(refuse) as server:
        server.add(server.answering(STORED))
        reply = await http.ask(post(server.url, BIG))
        assert (reply.status, reply.text()) == (413, "large")
        assert (await http.ask(post(server.url))).status == 204
        assert server.calls == 2, "the first connection cannot be used again"
        released.set()


@pytest.mark.parametrize("size", [1 << 20, 4 << 20, 16 << 20])
async def test_an_answer_and_a_reset(http: HttpClient, size: int) -> None:
    """A server that closes without reading all resets the connection."""

    async def refuse(call: Call) -> None:
        await call.head()
        await call.say(TOO_LARGE)
        call.reset()

    async with rig(refuse) as server:
        for _ in range(10):
            reply = await http.ask(post(server.url, BIG[:size]))
            assert (reply.status, reply.text()) == (413, "large")


async def test_continue_is_no_answer(http: HttpClient) -> None:
    async with rig() as server:
        server.add(server.answering(b"HTTP/1.1 100 Continue\r\n\r\n" + STORED, STORED))
        for _ in range(2):
            assert (await http.ask(post(server.url))).status == 204
        assert server.calls == 1


async def closed(call: Call) -> None:
    await call.request()


async def reset(call: Call) -> None:
    await call.request()
    call.reset()


@pytest.mark.parametrize("end", [closed, reset])
async def test_no_answer_over_a_new_connection(http: HttpClient, end: Talk) -> None:
    async with rig(end) as server:
        with pytest.raises(NoAnswerError):
            await http.ask(post(server.url))
        assert server.calls == 1


@pytest.mark.parametrize("end", [closed, reset])
async def test_a_kept_connection_that_ends_is_asked_anew_once(
    http: HttpClient, end: Talk
) -> None:
    async def once(call: Call) -> None:
        await call.request()
        await call.say(STORED)
        await end(call)

    async with rig(once) as server:
        server.add(server.answering(STORED), end)
        await http.ask(post(server.url))
        assert (await http.ask(post(server.url, b"again"))).status == 204
        assert server.requests[0][1] == b"again"
        assert server.calls == 2
        # That one is closed, too. The next time also the new one fails.
        with pytest.raises(NoAnswerError):
            await http.ask(post(server.url))


async def test_half_an_answer_is_not_asked_anew(http: HttpClient) -> None:
    async def halves(call: Call) -> None:
        await call.request()
        await call.say(STORED)
        await call.request()
        await call.say(b"HTTP/1.1 2")

    async with rig(halves) as server:
        await http.ask(post(server.url))
        with pytest.raises(DamagedError, match="in the middle of an answer"):
            await http.ask(post(server.url))
        assert server.calls == 1


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\nhalf",
     b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
)  # fmt: skip
async def test_half_a_body_is_damaged(http: HttpClient, answer: bytes) -> None:
    async with rig() as server:
        server.add(server.answering(answer))
        reply = await http.ask(post(server.url))
    assert (reply.status, reply.body) == (400, b"half")
    assert reply.damage == "connection closed in the middle of an answer"


async def test_who_speaks_unasked_is_not_asked(http: HttpClient) -> None:
    said = asyncio.Event()

    async def talk(call: Call) -> None:
        await call.request()
        await call.say(STORED)
        await call.say(b"HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n")
        assert await call.reader.read() == b""
        said.set()

    async with rig(talk) as server:
        server.add(server.answering(STORED))
        await http.ask(post(server.url))
        await said.wait()
        assert (await http.ask(post(server.url))).status == 204


async def test_a_question_that_is_given_up_closes_its_connection(
    http: HttpClient,
) -> None:
    ended = asyncio.Event()

    async def silent(call: Call) -> None:
        await call.request()
        assert await call.reader.read() == b""
        ended.set()

    async with rig(silent) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await http.ask(post(server.url))
        await ended.wait()


async def test_a_name_nobody_has(http: HttpClient) -> None:
    for name in ("nobody.invalid", "a..b"):
        with pytest.raises(UnreachableError) as told:
            await http.ask(post(read_url(f"http://{name}:1/")))
        assert not told.value.proxy


async def test_reach(http: HttpClient) -> None:
    async with rig(closed) as server:
        await http.reach(server.url)
    with pytest.raises(UnreachableError) as told:
        await http.reach(server.url)
    assert isinstance(told.value.error, ConnectionRefusedError)


async def test_a_proxy_that_closes_instead_of_an_answer(http: HttpClient) -> None:
    async def hang_up(call: Call) -> None:
        await call.head()

    async with rig(hang_up) as server:
        way = Way(proxy=server.url)
        with pytest.raises(HttpError, match="proxy: connection closed without"):
            await http.ask(post(read_url("https://a.invalid/")), way)


async def test_after_the_end_nothing_is_kept(http: HttpClient) -> None:
    ended = asyncio.Event()

    async def talk(call: Call) -> None:
        await call.request()
        http.close()
        await call.say(STORED)
        assert await call.reader.read() == b""
        ended.set()

    async with rig(talk) as server:
        await http.ask(post(server.url))
        await ended.wait()
