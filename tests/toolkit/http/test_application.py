from __future__ import annotations

import logging

import pytest

from exporters.toolkit.http.application import Application
from exporters.toolkit.http.connection import Handler
from exporters.toolkit.http.request import Request
from exporters.toolkit.http.response import Response


def named(name: str) -> Handler:
    async def handle(_: Request) -> Response:
        return Response(body=name.encode())

    return handle


def app() -> Application:
    made = Application()
    for path in ("/", "/metrics", "/both"):
        made.add(path, named(path))
    for path in ("/tree/", "/tree/deep/", "/both/"):
        made.add_tree(path, named(path))
    return made


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("/metrics", "/metrics"),
        ("/%6detrics?x", "/metrics"),
        ("/tree/", "/tree/"),
        ("/tree/x", "/tree/"),
        ("/tree/deep/x/y", "/tree/deep/"),
        ("/both", "/both"),
        ("/both/x", "/both/"),
        ("http://elsewhere/metrics", "/metrics"),
    ],
)
async def test_routes(target: str, found: str) -> None:
    answer = await app().answer(Request("GET", target))
    assert (answer.status, answer.body.decode()) == (200, found)
    assert app().route(Request("GET", target).path) == found


@pytest.mark.parametrize(
    ("method", "target", "status", "location"),
    [
        ("GET", "/nope", 404, None),
        ("GET", "/metrics/", 404, None),
        ("GET", "/treeX", 404, None),
        ("GET", "//metrics?a=<b>", 301, "/metrics?a=<b>"),
        ("GET", "/tree", 301, "/tree/"),
        ("POST", "/x//../tree?y", 301, "/tree/?y"),
        ("GET", "http://host", 301, "/"),
        ("CONNECT", "//metrics", 404, None),
        ("CONNECT", "host:1", 404, None),
    ],
)
async def test_elsewhere(
    method: str, target: str, status: int, location: str | None
) -> None:
    answer = await app().answer(Request(method, target))
    assert (answer.status, answer.headers.get("Location")) == (status, location)
    assert app().route("/nope") is None


async def test_a_redirect_says_so_to_who_reads() -> None:
    answer = await app().answer(Request("GET", "//é?a='b&c"))
    assert answer.headers["Location"] == "/%C3%A9?a='b&c"
    assert answer.body.decode() == (
        '<a href="/%C3%A9?a=&#39;b&amp;c">Moved Permanently</a>.\n\n'
    )
    assert (await app().answer(Request("PUT", "//x"))).body == b""


async def test_middlewares_are_around_one_another() -> None:
    made, order = app(), []

    def middleware(name: str) -> None:
        async def pass_on(request: Request, handler: Handler) -> Response:
            order.append(name)
            answer = await handler(request)
            answer.headers[name] = "yes"
            return answer

        made.wrap(pass_on)

    middleware("inner")
    middleware("outer")
    answer = await made.answer(Request("GET", "/nope"))
    assert order == ["outer", "inner"]
    assert answer.headers["inner"] == answer.headers["outer"] == "yes"


async def test_what_was_not_foreseen(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: Request) -> Response:
        raise RuntimeError("secret")

    made = Application()
    made.add("/x", broken)
    answer = await made.answer(Request("GET", "/x"))
    assert (answer.status, answer.body) == (500, b"Internal Server Error\n")
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert record.getMessage() == "error serving request"
    assert "/x" in made
    assert "/y" not in made
