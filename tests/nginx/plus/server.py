"""An NGINX Plus API that answers with the documents in ``recorded/``.

The documents are of our own making, in the shape of API version 9. What an older
version does not have is left out of its answers, as in nginx's table of changes
(ngx_http_api_module, "compatibility").
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exporters.nginx.errors import ScrapeError
from exporters.nginx.targets import Target


RECORDED = Path(__file__).with_name("recorded")

ROOT_ENDPOINTS = (
    ("nginx", 1),
    ("processes", 1),
    ("connections", 1),
    ("slabs", 1),
    ("http", 1),
    ("stream", 1),
    ("resolvers", 5),
    ("ssl", 1),
    ("workers", 9),
    ("license", 9),
)
STREAM_ENDPOINTS = (
    ("server_zones", 1),
    ("limit_conns", 6),
    ("keyvals", 1),
    ("zone_sync", 4),
    ("upstreams", 1),
)
SINCE = {
    "http/location_zones": 5,
    "resolvers": 5,
    "http/limit_reqs": 6,
    "http/limit_conns": 6,
    "stream/limit_conns": 6,
    "workers": 9,
    "license": 9,
}
# Keys of a record that came later, wherever they stand.
KEYS_SINCE = {"codes": 7, "ssl": 8}


def documents() -> dict[str, Any]:
    """Return what is recorded, by endpoint."""
    return {
        path.relative_to(RECORDED).with_suffix("").as_posix(): json.loads(
            path.read_bytes()
        )
        for path in sorted(RECORDED.rglob("*.json"))
    }


def error(status: int, text: str, code: str) -> dict[str, Any]:
    return {
        "error": {"status": status, "text": text, "code": code},
        "request_id": "2b1f9f6f3c0f4d7d9a6a2f1c5a0c7e11",
        "href": "https://nginx.org/en/docs/http/ngx_http_api_module.html",
    }


PATH_NOT_FOUND = error(404, "path not found", "PathNotFound")
UNKNOWN_VERSION = error(404, "unknown version", "UnknownVersion")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes


def reply(document: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(document).encode())


@dataclass
class RecordedApi:
    """Answer a path below the API's URI, and keep what was asked.

    *answers* stand in for what is recorded, by endpoint ("http/upstreams", "" for
    the list); None waits until *released*.
    """

    versions: tuple[int, ...] = tuple(range(1, 10))
    answers: dict[str, Reply | None] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=documents)
    requests: list[str] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0

    async def answer(self, path: str) -> Reply:
        self.requests.append(path)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)  # whoever asks in parallel gets here, too
            answer = self._answer(path)
            if answer is None:
                await self.released.wait()
                raise ScrapeError("released")
            return answer
        finally:
            self.at_once -= 1

    def _answer(self, path: str) -> Reply | None:
        version, _, endpoint = path.strip("/").partition("/")
        if not version:
            return reply(list(self.versions))
        if not version.isdigit() or int(version) not in self.versions:
            return reply(UNKNOWN_VERSION, 404)
        if endpoint in self.answers:
            return self.answers[endpoint]
        return self._recorded(int(version), endpoint)

    def _recorded(self, version: int, endpoint: str) -> Reply:
        listed = {"": ROOT_ENDPOINTS, "stream": STREAM_ENDPOINTS}.get(endpoint)
        if listed is not None:
            return reply([name for name, since in listed if since <= version])
        if endpoint not in self.documents or SINCE.get(endpoint, 1) > version:
            return reply(PATH_NOT_FOUND, 404)
        return reply(_as_of(version, self.documents[endpoint]))


def _as_of(version: int, document: Any) -> Any:
    if isinstance(document, list):
        return [_as_of(version, each) for each in document]
    if not isinstance(document, dict):
        return document
    return {
        key: _as_of(version, value)
        for key, value in document.items()
        if KEYS_SINCE.get(key, 1) <= version
    }


@dataclass
class MemorySession:
    """Ask *api* without a network between."""

    api: RecordedApi
    target: Target = field(
        default_factory=lambda: Target("http://n:8080/api", "http://n:8080/api")
    )

    async def get(self, suffix: str, /, *, max_bytes: int) -> Reply:
        answer = await self.api.answer(suffix)
        if len(answer.body) > max_bytes:
            raise ScrapeError(f"more than {max_bytes} bytes")
        return answer


@asynccontextmanager
async def serve(api: RecordedApi, prefix: str = "/api") -> AsyncIterator[str]:
    """Serve *api* over HTTP on a free port; yield its URI."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.create_task(_serve(api, prefix, reader, writer))
        tasks.add(task)
        with suppress(asyncio.CancelledError, ConnectionError):
            await task
        tasks.discard(task)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{prefix}"
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await server.wait_closed()


async def _serve(
    api: RecordedApi,
    prefix: str,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("ascii").removeprefix(prefix)
            answer = await api.answer(path)
            writer.write(
                b"HTTP/1.1 %d Answer\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n"
                % (answer.status, len(answer.body))
                + answer.body
            )
            await writer.drain()


def replaced(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return a copy of *document* with *value* at *path*."""
    if not path:
        return value
    key, *rest = path
    if isinstance(document, Mapping):
        return {
            **document,
            key: replaced(document.get(key), tuple(rest), value),
        }
    assert isinstance(document, list)
    assert isinstance(key, int)
    return [
        replaced(each, tuple(rest), value) if at == key else each
        for at, each in enumerate(document)
    ]
