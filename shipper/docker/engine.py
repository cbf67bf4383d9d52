"""Ask a Docker daemon: what containers there are, how one is, what happens.

aiodocker lists and inspects. The events are read by `shipper.docker.stream`: the reader
in aiodocker does not say when the subscription stands (the list must come after that),
takes a cut connection for the end, has no deadline for headers and an unbounded queue.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import urlencode

import aiodocker
import aiohttp

from shipper.docker.frames import STDERR, STDOUT
from shipper.docker.meta import Json
from shipper.docker.stream import (
    Deadlines,
    DockerError,
    DockerHost,
    DockerRefusedError,
    Response,
    ask,
    get,
)


T = TypeVar("T")

Filters = Mapping[str, Sequence[str]]

MAX_EVENT_BYTES = 4 * 1024 * 1024

# Exec events, three for every healthcheck, would push the others out of sight.
_EVENT_FILTERS = {
    "type": ["container", "network"],
    "event": [
        "create",
        "start",
        "die",
        "destroy",
        "rename",
        "connect",
        "disconnect",
    ],
}


class Event(NamedTuple):
    """What happened: *kind* and *action* as Docker names them, to whom, when."""

    kind: str
    action: str
    id: str
    attributes: Mapping[str, str]
    time_ns: int


def parse_event(line: bytes) -> Event:
    """Return the event that a line of ``GET /events`` tells; ValueError if none."""
    message = json.loads(line)
    try:
        actor = message["Actor"]
        return Event(
            message["Type"],
            message["Action"],
            actor["ID"],
            actor.get("Attributes") or {},
            message["timeNano"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an event: {line[:200]!r}") from error


class Engine:
    """One daemon. Every method raises DockerError when it cannot be asked.

    The API version is the daemon's own newest, asked for when it is first needed and
    again after `forget_version` (a daemon may come back as another release).
    """

    def __init__(self, host: DockerHost, deadlines: Deadlines | None = None) -> None:
        self.host = host
        self._deadlines = deadlines or Deadlines()
        self._client: aiodocker.Docker | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections for lists; open logs are their readers' business."""
        if self._client is not None:
            await self._client.close()
        if self._session is not None:
            await self._session.close()

    def forget_version(self) -> None:
        """Negotiate the API version anew before the next request."""
        if self._client is not None:
            self._client.api_version = "auto"

    async def version(self) -> str:
        """Return the API version to speak, as it stands in a path: ``v1.41``."""
        client = self._connected()
        if client.api_version == "auto":
            # aiodocker negotiates before its first request, whichever that is.
            await self._ask("version", client.version)
        return client.api_version

    async def containers(self, filters: Filters) -> list[Json]:
        """List all containers, also stopped ones, that match *filters*."""
        await self.version()
        client = self._connected()
        text = json.dumps({key: list(values) for key, values in filters.items()})
        found = await self._ask(
            "containers/json", lambda: client.containers.list(all=True, filters=text)
        )
        return [item._container for item in found]  # noqa: SLF001  # the JSON as listed

    async def networks(self) -> list[dict[str, Any]]:
        """List the networks."""
        await self.version()
        return await self._ask("networks", self._connected().networks.list)

    async def running(self, container_id: str) -> bool:
        """Say whether a container runs; a removed one does not."""
        try:
            return bool((await self._inspect(container_id))["State"]["Running"])
        except DockerRefusedError as error:
            if error.status == 404:
                return False
            raise

    async def log_config(self, container_id: str) -> Mapping[str, Any]:
        """Return the log driver and its options: ``HostConfig.LogConfig``."""
        found = await self._inspect(container_id)
        return (found.get("HostConfig") or {}).get("LogConfig") or {}

    async def _inspect(self, container_id: str) -> dict[str, Any]:
        await self.version()
        client = self._connected()
        return await self._ask(
            f"containers/{container_id}/json",
            lambda: client.containers.container(container_id).show(),
        )

    async def logs(
        self,
        container_id: str,
        since_ns: int,
        streams: Sequence[int],
        *,
        follow: bool = True,
        tail: int | None = None,
    ) -> Response:
        """Ask for the log of a container from *since_ns* on, and what follows.

        Of that only the last *tail* lines, when given; the daemon does not read the
        others then, whereas *since_ns* has it read all to find the place.

        The answer has not come yet: dockerd 20.10 sends no headers before the first
        line, which may be never (see `Response.accepted`).
        """
        query = {
            "follow": "1" if follow else "0",
            "stdout": "1" if STDOUT in streams else "0",
            "stderr": "1" if STDERR in streams else "0",
            "timestamps": "1",
            "since": _seconds(since_ns),
        }
        if tail is not None:
            query["tail"] = str(tail)
        version = await self.version()
        target = f"/{version}/containers/{container_id}/logs?{urlencode(query)}"
        return await ask(self.host, target, self._deadlines)

    @asynccontextmanager
    async def events(self, since_ns: int) -> AsyncIterator[AsyncIterator[Event]]:
        """Subscribe to what happens from *since_ns* on; subscribed when entered.

        The iterator ends only by raising DockerError.
        """
        query = {"since": _seconds(since_ns), "filters": json.dumps(_EVENT_FILTERS)}
        target = f"/{await self.version()}/events?{urlencode(query)}"
        async with await get(self.host, target, self._deadlines) as response:
            yield _read_events(response)

    def _connected(self) -> aiodocker.Docker:
        if self._client is None:
            limits = aiohttp.ClientTimeout(
                total=self._deadlines.headers_seconds,
                sock_connect=self._deadlines.connect_seconds,
            )
            self._session = _session(self.host)
            self._client = aiodocker.Docker(
                self.host.http_url,
                session=self._session,
                timeout=limits,
                ssl_context=self.host.tls,
            )
            self._client.session.headers.update(self.host.headers)
        return self._client

    async def _ask(self, what: str, query: Callable[[], Awaitable[T]]) -> T:
        """Await what *query* gives; what goes wrong becomes a DockerError."""
        what = f"{self.host.url} GET {what}"
        try:
            return await query()
        except aiodocker.DockerError as error:
            message = " ".join(str(error.message).split())[:500]
            if error.status >= 600:  # aiodocker's own number for "cannot connect"
                raise DockerError(message) from error
            raise DockerRefusedError(what, error.status, message) from error
        except TimeoutError:
            limit = self._deadlines.headers_seconds
            raise DockerError(f"{what}: no answer within {limit:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError, KeyError) as error:
            raise DockerError(
                f"{what}: {str(error) or type(error).__name__}"
            ) from error


def _session(host: DockerHost) -> aiohttp.ClientSession | None:
    """Return a session that expects *host*'s server name; None when there is none.

    aiodocker has no parameter for that name, aiohttp has it in each request.
    """
    if host.tls is None or host.server_name is None:
        return None

    async def expect(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.server_hostname = host.server_name
        return await handler(request)

    connector = aiohttp.TCPConnector(ssl=host.tls)
    return aiohttp.ClientSession(connector=connector, middlewares=(expect,))


def _seconds(ns: int) -> str:
    """Return *ns* as the API takes a time: ``<seconds>.<nine digits>``."""
    return f"{ns // 1_000_000_000}.{ns % 1_000_000_000:09d}"


async def _read_events(response: Response) -> AsyncIterator[Event]:
    rest = b""
    while data := await response.read():
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > MAX_EVENT_BYTES:
            raise DockerError(f"{response.what}: an event of over {len(rest)} bytes")
        for line in lines:
            if line.strip():
                try:
                    yield parse_event(line)
                except ValueError as error:
                    raise DockerError(f"{response.what}: {error}") from error
    raise DockerError(f"{response.what}: the daemon ended the subscription")
