"""A Docker daemon in this process, which misbehaves as told; and the real one."""

from __future__ import annotations

import asyncio
import json
import re
import struct
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shipper.docker.engine import Engine
from shipper.docker.host import Deadlines, DockerHost
from shipper.docker.ledger import Ledger
from shipper.docker.lookback import TAIL_LINES
from shipper.docker.retry import Retry
from shipper.docker.supervisor import Supervisor
from shipper.docker.tailer import Settings
from shipper.pipeline.entry import AlwaysRoom, Cursor, Entry, Labels
from shipper.positions import Positions


Writer = asyncio.StreamWriter
Answer = Callable[[Writer, dict[str, str]], Awaitable[None]]

ID = "a" * 64


def stamp(ns: int) -> bytes:
    seconds, nanos = divmod(ns, 1_000_000_000)
    minutes, second = divmod(seconds, 60)
    return b"2026-11-22T15:%02d:%02d.%09dZ" % (minutes, second, nanos)


BASE_NS = 1795359600 * 1_000_000_000
"""The time that ``stamp(0)`` is."""


def log_frame(kind: int, ns: int, text: bytes) -> bytes:
    payload = stamp(ns) + b" " + text + b"\n"
    return struct.pack(">BxxxL", kind, len(payload)) + payload


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


HEADERS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def reply(data: Any, status: str = "200 OK") -> bytes:
    body = json.dumps(data, separators=(",", ":")).encode()  # as Go does
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def listed(container_id: str = ID, **changes: Any) -> dict[str, Any]:
    return {
        "Id": container_id,
        "Names": ["/web"],
        "Labels": {},
        "State": "running",
        "HostConfig": {"NetworkMode": "none"},
        "NetworkSettings": {"Networks": {}},
        "Ports": [],
    } | changes


@dataclass
class FakeDocker:
    """Answers lists from *containers*, and each log request by the next of *logs*.

    Who looks for the end of a log gets *end*.
    """

    path: str
    containers: list[dict[str, Any]] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    logs: list[Answer] = field(default_factory=list)
    end: tuple[bytes, ...] = ()
    requests: list[str] = field(default_factory=list)
    events: asyncio.Queue[dict[str, Any] | None] = field(default_factory=asyncio.Queue)
    subscribed: asyncio.Event = field(default_factory=asyncio.Event)
    log_config: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, bytes] = field(default_factory=dict)
    """Raw answers by the last part of the path, instead of good ones."""
    server: asyncio.Server | None = None
    writers: set[Writer] = field(default_factory=set)

    async def start(self) -> None:
        self.server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self) -> None:
        """Go away as a killed daemon does: every connection is cut."""
        if self.server is not None:
            self.server.close()
            for writer in list(self.writers):
                writer.transport.abort()
            self.server = None
            Path(self.path).unlink(missing_ok=True)  # noqa: ASYNC240  # a test's socket

    def event(self, action: str, container_id: str = ID, **attributes: str) -> None:
        self.events.put_nowait(
            {
                "Type": "container",
                "Action": action,
                "Actor": {"ID": container_id, "Attributes": attributes},
                "timeNano": BASE_NS + len(self.requests),
            }
        )

    def log_requests(self) -> list[dict[str, str]]:
        found = []
        for request in self.requests:
            parts = urlsplit(request)
            query = {k: v[0] for k, v in parse_qs(parts.query).items()}
            if parts.path.endswith("/logs") and not looks_back(query):
                found.append(query)
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        self.writers.add(writer)
        try:
            while line := await reader.readline():
                while (await reader.readline()).strip():
                    pass
                target = line.split()[1].decode()
                self.requests.append(target)
                await self._answer(target, writer)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _answer(self, target: str, writer: Writer) -> None:
        parts = urlsplit(target)
        path = re.sub(r"^/v[\d.]+", "", parts.path)
        query = {key: value[0] for key, value in parse_qs(parts.query).items()}
        name = path.rpartition("/")[2]
        if name in self.broken:
            writer.write(self.broken[name])
            await writer.drain()
            writer.close()
        elif path == "/version":
            writer.write(reply({"ApiVersion": "1.41"}))
        elif path == "/networks":
            writer.write(reply([]))
        elif path == "/containers/json":
            wanted = json.loads(query.get("filters", "{}")).get("id")
            found = [c for c in self.containers if not wanted or c["Id"] in wanted]
            writer.write(reply(found))
        elif path == "/events":
            await self._send_events(writer)
        elif name == "logs":
            await self._send_log(writer, query)
        else:
            container_id = path.split("/")[2]
            state = {"Running": container_id in self.running}
            host_config = {"LogConfig": self.log_config}
            writer.write(
                reply({"Id": container_id, "State": state, "HostConfig": host_config})
            )

    async def _send_events(self, writer: Writer) -> None:
        writer.write(HEADERS)
        await writer.drain()
        self.subscribed.set()
        while (event := await self.events.get()) is not None:
            writer.write(chunk(json.dumps(event).encode() + b"\n"))
            await writer.drain()
        writer.close()

    async def _send_log(self, writer: Writer, query: dict[str, str]) -> None:
        if looks_back(query):
            await whole(*self.end)(writer, query)
            await writer.drain()
            writer.close()
            return
        if not self.logs:
            writer.write(
                reply({"message": f"No such container: {ID}"}, "404 Not Found")
            )
            return
        await self.logs.pop(0)(writer, query)
        await writer.drain()
        writer.close()


def looks_back(query: dict[str, str]) -> bool:
    """Say whether a request is for the end of a log, whatever its times."""
    return query.get("tail") == str(TAIL_LINES) and float(query["since"]) == 0


def send(*parts: bytes) -> Answer:
    """Answer a log request with *parts*, as they are, then close."""

    async def answer(writer: Writer, query: dict[str, str]) -> None:
        for part in parts:
            writer.write(part)

    return answer


def whole(*frames: bytes) -> Answer:
    """Answer with *frames* and the orderly end."""
    return send(HEADERS, *(chunk(item) for item in frames), LAST_CHUNK)


async def hang(writer: Writer, query: dict[str, str]) -> None:
    await asyncio.Event().wait()


class MemorySink(AlwaysRoom):
    """Keeps what is put; acknowledges at once unless *hold* is set."""

    def __init__(self) -> None:
        self.put_entries: list[tuple[Labels, Entry]] = []
        self.cursors: list[Cursor] = []
        self.hold = False
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self._waiters: list[tuple[int, asyncio.Event]] = []

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        self.asked.set()
        await self.gate.wait()
        self.put_entries.append((labels, entry))
        if self.hold:
            self.cursors.append(cursor)
        else:
            cursor.acknowledge([entry])
        for count, reached in self._waiters:
            if len(self.put_entries) >= count:
                reached.set()

    @property
    def lines(self) -> list[bytes]:
        return [entry.line for _, entry in self.put_entries]

    async def wait_for(self, count: int, seconds: float = 10.0) -> None:
        reached = asyncio.Event()
        if len(self.put_entries) >= count:
            return
        self._waiters.append((count, reached))
        async with asyncio.timeout(seconds):
            await reached.wait()


class CountingMeters:
    def __init__(self) -> None:
        self.counts: defaultdict[str, int] = defaultdict(int)

    def entries(self, count: int) -> None:
        self.counts["entries"] += count

    def parsing_errors(self, count: int) -> None:
        self.counts["parsing_errors"] += count

    def truncated(self, count: int) -> None:
        self.counts["truncated"] += count

    def duplicates(self, count: int) -> None:
        self.counts["duplicates"] += count

    def gaps(self, count: int) -> None:
        self.counts["gaps"] += count

    def rereads(self, count: int) -> None:
        self.counts["rereads"] += count

    def reconnects(self, count: int) -> None:
        self.counts["reconnects"] += count


def name_and_stream(labels: dict[str, str]) -> dict[str, str] | None:
    return {
        "container_name": labels["__meta_docker_container_name"].removeprefix("/"),
        "stream": labels["__meta_docker_container_log_stream"],
        "__gone": "x",
        "empty": "",
    }


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def meters() -> CountingMeters:
    return CountingMeters()


@pytest.fixture
def settings(sink: MemorySink, meters: CountingMeters) -> Settings:
    return Settings(name_and_stream, sink, meters, Retry(0.001, 0.01), answer_seconds=1)


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[FakeDocker]:
    docker = FakeDocker(str(tmp_path / "docker.sock"))
    await docker.start()
    yield docker
    await docker.stop()


@pytest.fixture
def engine(fake: FakeDocker) -> Engine:
    deadlines = Deadlines(connect_seconds=2.0, headers_seconds=0.3)
    return Engine(DockerHost(f"unix://{fake.path}"), deadlines)


Make = Callable[..., Supervisor]


@pytest.fixture
async def make(
    tmp_path: Path, engine: Engine, settings: Settings
) -> AsyncIterator[Make]:
    positions = Positions(str(tmp_path / "positions.yaml"))
    ledger = Ledger(positions, "job")

    def supervisor(**changes: Any) -> Supervisor:
        return Supervisor(engine, ledger, settings, **changes)

    yield supervisor
    await positions.close()


@asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[None]:
    task = asyncio.create_task(supervisor.run())
    try:
        yield
    finally:
        supervisor.stop_reading()
        async with asyncio.timeout(5):
            await task
