"""Ask a Docker daemon: what containers there are, how one is, what happens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from shipper.docker.answers import (
    parse_containers,
    parse_log_config,
    parse_networks,
    parse_running,
    parse_version,
)
from shipper.docker.frames import STDERR, STDOUT
from shipper.docker.host import Deadlines, DockerHost
from shipper.docker.meta import Json
from shipper.docker.stream import (
    DockerError,
    DockerRefusedError,
    Response,
    ask,
    get,
    get_whole,
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
        self._version: str | None = None

    def forget_version(self) -> None:
        """Negotiate the API version anew before the next request."""
        self._version = None

    async def version(self) -> str:
        """Return the API version to speak, as it stands in a path: ``v1.41``."""
        if self._version is None:
            self._version = await get_whole(
                self.host, "/version", self._deadlines, parse_version
            )
        return self._version

    async def containers(self, filters: Filters) -> list[Json]:
        """List all containers, also stopped ones, that match *filters*."""
        return await self.listed(filters, parse_containers)

    async def listed(self, filters: Filters, parse: Callable[[bytes], T]) -> T:
        """Return what *parse* makes of the list of `containers`.

        It raises ValueError for what it cannot understand.
        """
        text = json.dumps({key: list(values) for key, values in filters.items()})
        query = urlencode({"all": "1", "filters": text})
        return await self._get(f"containers/json?{query}", parse)

    async def networks(self) -> list[Json]:
        """List the networks."""
        return await self._get("networks", parse_networks)

    async def running(self, container_id: str) -> bool:
        """Say whether a container runs; a removed one does not."""
        try:
            return await self._inspect(container_id, parse_running)
        except DockerRefusedError as error:
            if error.status == 404:
                return False
            raise

    async def log_config(self, container_id: str) -> Mapping[str, Any]:
        """Return the log driver and its options: ``HostConfig.LogConfig``."""
        return await self._inspect(container_id, parse_log_config)

    async def _inspect(self, container_id: str, parse: Callable[[bytes], T]) -> T:
        return await self._get(f"containers/{container_id}/json", parse)

    async def _get(self, path: str, parse: Callable[[bytes], T]) -> T:
        target = f"/{await self.version()}/{path}"
        return await get_whole(self.host, target, self._deadlines, parse)

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
