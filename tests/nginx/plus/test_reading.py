from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from exporters.nginx.errors import ScrapeError
from exporters.nginx.plus.api import MAX_BODY_BYTES, PARALLEL
from exporters.nginx.plus.endpoints import LICENSE
from exporters.nginx.plus.reading import Documents, Reader
from tests.nginx.plus.server import (
    PATH_NOT_FOUND,
    UNKNOWN_VERSION,
    MemorySession,
    RecordedApi,
    Reply,
    reply,
)


# What each version added to what is asked, as in nginx's table of versions.
ADDED: dict[int, set[str]] = {
    4: {
        *("connections", "ssl", "http/requests", "http/server_zones"),
        *("http/upstreams", "http/caches", "stream/server_zones"),
        *("stream/upstreams", "stream/zone_sync"),
    },
    5: {"http/location_zones", "resolvers"},
    6: {"http/limit_reqs", "http/limit_conns", "stream/limit_conns"},
    7: set(),
    8: set(),
    9: {"workers", "license"},
}
PAGE = Reply(404, b"<html><h1>404 Not Found</h1></html>")


def _api(
    highest: int = 9, answers: Mapping[str, Reply | None] | None = None
) -> RecordedApi:
    return RecordedApi(tuple(range(1, highest + 1)), dict(answers or {}))


async def _read(api: RecordedApi, limit: float = 30) -> Documents:
    return await Reader(MemorySession(api)).read(limit)


def _paths(documents: Documents) -> set[str]:
    return {endpoint.path for endpoint in documents}


async def _error(api: RecordedApi, limit: float = 30) -> str:
    with pytest.raises(ScrapeError) as caught:
        await _read(api, limit)
    return str(caught.value)


@pytest.mark.parametrize("version", ADDED)
async def test_what_a_version_has(version: int) -> None:
    api = _api(version)
    wanted = {path for since in ADDED if since <= version for path in ADDED[since]}
    assert _paths(await _read(api)) == wanted
    asked = {path for path in api.requests if path not in {"", "/", "/9/"}}
    lists = {"", "stream", "nginx"} if version == 9 else {"", "stream"}
    assert {path for path in asked if path != f"/{version}/"} == {
        f"/{version}/{path}" for path in wanted | lists if path
    }


async def test_the_newest_is_asked_without_a_list_of_versions() -> None:
    """Upstream does not ask for it, so it may be out of reach."""
    api = _api(12)
    reader = Reader(MemorySession(api))
    for _ in range(2):
        await reader.read(30)
    assert all(path.startswith("/9/") for path in api.requests)
    assert len(set(api.requests)) * 2 == len(api.requests)


async def test_an_upgrade_and_a_downgrade_are_noticed() -> None:
    api = _api(9)
    reader = Reader(MemorySession(api))
    for highest in (9, 6, 6, 8, 9, 9, 4):
        api.versions = tuple(range(1, highest + 1))
        api.requests.clear()
        await reader.read(30)
        assert api.requests[-1] == f"/{highest}/connections"


async def test_an_older_one_is_not_asked_what_it_does_not_know() -> None:
    api = _api(7)
    reader = Reader(MemorySession(api))
    await reader.read(30)
    api.requests.clear()
    await reader.read(30)
    assert api.requests[:2] == ["", "/7/"]
    assert not any(path.startswith("/9") for path in api.requests)


@dataclass
class PickySession(MemorySession):
    """An API whose list of versions is at one of its two addresses only."""

    only: str = ""

    async def get(self, suffix: str, /, *, max_bytes: int) -> Reply:
        assert max_bytes == MAX_BODY_BYTES
        if suffix in {"", "/"} and suffix != self.only:
            return PAGE
        return await super().get(suffix, max_bytes=max_bytes)


@pytest.mark.parametrize("only", ["", "/"])
async def test_where_the_list_of_versions_may_be(only: str) -> None:
    api = _api(8)
    await Reader(PickySession(api, only=only)).read(30)
    assert api.requests[-1] == "/8/connections"


async def test_another_page_is_told_from_an_old_version() -> None:
    with pytest.raises(ScrapeError, match=r"^/9/: expected 200 response, got 404"):
        await Reader(PickySession(_api(8), only="no")).read(30)


@pytest.mark.parametrize(
    ("versions", "agreed"),
    [
        (b"[7, 4, 6]", 7),
        (b"[10, 8]", 8),
        (b'[1, "9", 5, true, null]', 5),
        (b"[1, 2, 3]", None),
        (b"[10]", None),
        (b"[]", None),
        (b"null", None),
        (b"{}", None),
        (b"<html>", None),
    ],
)
async def test_the_list_of_versions(versions: bytes, agreed: int | None) -> None:
    class Listing(MemorySession):
        async def get(self, suffix: str, /, *, max_bytes: int) -> Reply:
            if suffix == "":
                return Reply(200, versions)
            return await super().get(suffix, max_bytes=max_bytes)

    api = RecordedApi(versions=(4, 5, 6, 7, 8))
    if agreed is None:
        with pytest.raises(ScrapeError, match=r"^/: (document: )?expected "):
            await Reader(Listing(api)).read(30)
    else:
        await Reader(Listing(api)).read(30)
        assert api.requests[-1] == f"/{agreed}/connections"


async def test_a_listed_version_that_is_not_there() -> None:
    assert await _error(_api(answers={"": reply(UNKNOWN_VERSION, 404)})) == (
        "/9/: expected 200 response, got 404 'unknown version' (UnknownVersion)"
    )


async def test_starts_while_nginx_is_down() -> None:
    class Starting(MemorySession):
        up = False

        async def get(self, suffix: str, /, *, max_bytes: int) -> Reply:
            if not self.up:
                raise ScrapeError("connect to n:8080: Connection refused")
            return await super().get(suffix, max_bytes=max_bytes)

    session = Starting(_api(8))
    reader = Reader(session)
    with pytest.raises(ScrapeError, match=r"^/9/: connect to n:8080: Connection ref"):
        await reader.read(30)
    session.up = True
    assert "http/upstreams" in _paths(await reader.read(30))


async def test_a_few_at_a_time_and_connections_last() -> None:
    api = _api()
    await _read(api)
    assert api.most_at_once == PARALLEL
    assert api.requests[-1] == "/9/connections"
    assert api.at_once == 0


async def test_a_hung_endpoint_is_named() -> None:
    api = _api(answers={"http/caches": None})
    assert await _error(api, 0.2) == (
        "no complete answer within 0.2s: waiting for /9/http/caches"
    )
    assert api.at_once == 0, "nothing is left behind"


async def test_a_hung_list_of_versions_is_named() -> None:
    class Hung(MemorySession):
        async def get(self, suffix: str, /, *, max_bytes: int) -> Reply:
            if suffix == "":
                await asyncio.Event().wait()
            return reply(UNKNOWN_VERSION, 404)

    with pytest.raises(ScrapeError, match=r"within 0\.2s: waiting for /$"):
        await Reader(Hung(_api())).read(0.2)


async def test_one_failure_ends_the_rest() -> None:
    api = _api(answers={"ssl": Reply(503, b""), "http/upstreams": None})
    assert await _error(api) == "/9/ssl: expected 200 response, got 503"
    assert api.at_once == 0
    assert "/9/connections" not in api.requests


@pytest.mark.parametrize("name", ["server_zones", "upstreams", "limit_conns"])
async def test_what_stream_does_not_have(name: str) -> None:
    missing = _api(answers={f"stream/{name}": reply(PATH_NOT_FOUND, 404)})
    assert _paths(await _read(_api())) - _paths(await _read(missing)) == {
        f"stream/{name}"
    }
    refused = _api(answers={f"stream/{name}": PAGE})
    assert await _error(refused) == (
        f"/9/stream/{name}: expected 200 response, got 404"
    )


ERRORS: tuple[tuple[Reply, str], ...] = (
    (Reply(403, b"<html>"), "expected 200 response, got 403"),
    (Reply(500, b""), "expected 200 response, got 500"),
    (Reply(404, b'{"error": 1}'), "expected 200 response, got 404"),
    (Reply(404, b'{"error": {"text": 1}}'), "expected 200 response, got 404"),
    (
        Reply(404, b'{"error": {"text": "a\\nb", "code": "c\\nd"}}'),
        "expected 200 response, got 404 'a\\nb' (c\\nd)",
    ),
    (
        Reply(200, b"Active connections: 1"),
        "expected JSON, got 'Active connections: 1': Expecting value at character 0",
    ),
)


@pytest.mark.parametrize(("answer", "text"), ERRORS)
async def test_what_an_error_says(answer: Reply, text: str) -> None:
    assert await _error(_api(answers={"ssl": answer})) == f"/9/ssl: {text}"


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ({}, "/9/: document: expected a list, got an object"),
        (["http", 7], "/9/: [1]: expected a string, got '7'"),
    ],
)
async def test_a_list_that_is_none(listed: Any, text: str) -> None:
    assert await _error(_api(answers={"": reply(listed)})) == text


LICENSES: tuple[tuple[str, Reply, str], ...] = (
    (
        "nginx",
        reply({"build": "nginx-1.29"}),
        "/9/nginx.build: expected a release of NGINX Plus (-rN), got '\"nginx-1.29\"'",
    ),
    ("nginx", reply({"build": 3}), "/9/nginx.build: expected a string, got '3'"),
    ("nginx", reply([]), "/9/nginx: expected an object, got a list"),
    ("license", PAGE, "/9/license: expected 200 response, got 404"),
)


@pytest.mark.parametrize(("endpoint", "answer", "text"), LICENSES)
async def test_no_license(endpoint: str, answer: Reply, text: str) -> None:
    documents = await _read(_api(answers={endpoint: answer}))
    assert _paths(documents) == {p for each in ADDED.values() for p in each}
    assert isinstance(documents[LICENSE], ScrapeError)
    assert str(documents[LICENSE]) == text


async def test_cancelled_from_outside() -> None:
    asked = asyncio.Event()

    class Hung(MemorySession):
        async def get(self, suffix: str, /, *, max_bytes: int) -> Reply:
            if suffix == "/9/ssl":
                asked.set()
            return await super().get(suffix, max_bytes=max_bytes)

    api = _api(answers={"ssl": None})
    task = asyncio.create_task(Reader(Hung(api)).read(30))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert api.at_once == 0
