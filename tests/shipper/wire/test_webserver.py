from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from aiohttp.http_exceptions import BadHttpMessage

from exporters.toolkit.errors import StartError
from exporters.toolkit.web import Request, Response
from shipper.wire.webserver import (
    adapted,
    add_health,
    answer_errors,
    protocol_log,
    serve,
    text_answer,
)
from tests.process import free_port


async def shown(request: Request) -> Response:
    """Answer with what the toolkit's handler is given."""
    found = request.method, request.path, request.query, request.headers.getall("X")
    return Response(202, {"A": "b"}, repr(found).encode())


async def broken(_: web.Request) -> web.StreamResponse:
    raise RuntimeError("secret")


async def forbidden(_: web.Request) -> web.StreamResponse:
    raise web.HTTPForbidden


def app() -> web.Application:
    made = web.Application(middlewares=[answer_errors])
    made.router.add_route("*", "/shown", adapted(shown))
    made.router.add_get("/broken", broken)
    made.router.add_get("/forbidden", forbidden)
    add_health(made, "store", lambda: "no disk")
    return made


@asynccontextmanager
async def session() -> AsyncIterator[ClientSession]:
    port, stop = free_port(), asyncio.Event()
    made, ready = app(), asyncio.Event()

    async def started(_: web.Application) -> None:
        ready.set()

    made.on_startup.append(started)
    serving = asyncio.create_task(serve(made, [f"127.0.0.1:{port}"], stop))
    await ready.wait()
    await until_listening(port)
    try:
        async with ClientSession(f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        stop.set()
        await serving


async def until_listening(port: int) -> None:
    """Knock at each turn of the loop: it listens a few after it has started."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            continue
        writer.close()
        return


async def fetch(client: ClientSession, path: str) -> tuple[int, str]:
    async with client.get(path) as response:
        return response.status, await response.text()


async def test_a_handler_of_the_toolkit() -> None:
    async with (
        session() as client,
        client.put("/shown?a=1&a=2", headers=[("X", "1"), ("X", "2")]) as response,
    ):
        assert (response.status, response.headers["A"]) == (202, "b")
        found = "('PUT', '/shown', {'a': ['1', '2']}, ['1', '2'])"
        assert await response.text() == found


async def test_health_and_errors(caplog: pytest.LogCaptureFixture) -> None:
    async with session() as client:
        assert await fetch(client, "/-/healthy") == (200, "store is Healthy.\n")
        assert await fetch(client, "/-/ready") == (503, "no disk\n")
        assert await fetch(client, "/nope") == (404, "404 page not found\n")
        assert (await fetch(client, "/forbidden"))[0] == 403
        assert await fetch(client, "/broken") == (500, "Internal Server Error\n")
    assert caplog.messages.count("error serving request") == 1


async def test_an_address_that_is_taken() -> None:
    async with session() as client:
        taken = f"127.0.0.1:{client._base_url.port}"  # type: ignore[union-attr] # it was given
        with pytest.raises(StartError, match="address already in use"):
            await serve(app(), [taken], asyncio.Event())


def test_texts() -> None:
    answer = text_answer(404, "x\n")
    assert (answer.status, answer.text) == (404, "x\n")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_bad_requests_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    log = protocol_log("x")
    for error in (BadHttpMessage("y"), ValueError("z")):
        log.error("%s", error, exc_info=error)
    assert caplog.messages == ["z"]
    assert logging.getLogger("x.protocol") is log
