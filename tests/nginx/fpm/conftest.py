"""Servers that answer FastCGI as a test wants, and a real php-fpm."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from exporters.nginx.fpm.client import FpmClient
from exporters.nginx.fpm.collector import FpmCollector, Settings
from exporters.nginx.fpm.targets import parse_fpm_targets
from exporters.nginx.http.resolver import Resolver
from exporters.toolkit.metric import Metric
from tests.programs import program


PATIENCE = 30.0


def record(kind: int, content: bytes, *, padding: int = 0, request: int = 1) -> bytes:
    head = struct.pack("!BBHHBB", 1, kind, request, len(content), padding, 0)
    return head + content + b"\xaa" * padding


END = record(3, b"\0\0\0\0\0any")


def answer(body: bytes, headers: str = "Content-Type: application/json") -> bytes:
    """Return the records of a whole answer, of more than one if it is long."""
    output = f"{headers}\r\n\r\n".encode() + body
    parts = [output[at : at + 60_000] for at in range(0, len(output), 60_000)]
    return b"".join(record(6, part, padding=3) for part in parts) + END


def decode_request(data: bytes) -> tuple[list[tuple[int, bytes]], dict[str, str]]:
    """Return the records of a request and its parameters."""
    records = []
    while data:
        _, kind, request, length, padding = struct.unpack_from("!BBHHBx", data)
        assert (request, padding) == (1, 0)
        records.append((kind, data[8 : 8 + length]))
        data = data[8 + length :]
    pairs = b"".join(content for kind, content in records if kind == 4)
    params = {}
    while pairs:
        sizes = []
        for _ in range(2):
            width = 4 if pairs[0] & 0x80 else 1
            sizes.append(int.from_bytes(pairs[:width], "big") & 0x7FFF_FFFF)
            pairs = pairs[width:]
        name, value = pairs[: sizes[0]], pairs[sizes[0] : sum(sizes)]
        params[name.decode()] = value.decode()
        pairs = pairs[sum(sizes) :]
    return records, params


Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class FakeFpm:
    """Answer each request with *serve*, and keep what was asked."""

    serve: Serve
    requests: list[bytes] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.create_task(self._answer(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        data = b""
        while not data.endswith(record(5, b"")):
            more = await reader.read(4096)
            if not more:
                break
            data += more
        self.requests.append(data)
        self.asked.set()
        try:
            with suppress(ConnectionError):
                await self.serve(writer)
                await writer.drain()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def close(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def always(data: bytes) -> Serve:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return serve


@asynccontextmanager
async def fake_fpm(
    serve: Serve, *, path: Path | None = None
) -> AsyncIterator[tuple[FakeFpm, str]]:
    """Serve on a free port, or on the unix socket *path*; give its URI, too."""
    fake = FakeFpm(serve)
    if path is not None:
        server: asyncio.Server = await asyncio.start_unix_server(fake.connected, path)
        uri = f"unix:{path}:/status"
    else:
        server = await asyncio.start_server(fake.connected, "127.0.0.1", 0)
        uri = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}/status"
    try:
        yield fake, uri
    finally:
        server.close()
        await fake.close()


Collect = Callable[..., FpmCollector]


@pytest.fixture
def collector() -> Iterator[Collect]:
    """Build collectors of URIs."""
    with ThreadPoolExecutor(2) as executor:

        def build(
            *uris: str,
            timeout: float = PATIENCE,
            fix_process_count: bool = False,
            processes: bool = True,
        ) -> FpmCollector:
            resolver = Resolver(executor)
            clients = [
                FpmClient(target, resolver, "test")
                for target in parse_fpm_targets(uris)
            ]
            settings = Settings(timeout, fix_process_count, processes)
            return FpmCollector(clients, settings)

        yield build


def samples(
    families: list[Metric], name: str, by: str = "scrape_uri"
) -> dict[str, float]:
    return {
        sample.labels[by]: sample.value
        for family in families
        if family.name == name
        for sample in family.samples
    }


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return why scrapes failed, as the log says."""
    return [record.__dict__["fields"]["error"] for record in caplog.records]


@dataclass(frozen=True)
class RealFpm:
    """Where the pools of a running php-fpm listen: "host:port" or a path."""

    listen: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes]


Pools = Callable[..., RealFpm]

# An answer needs a child: this script keeps one until somebody closes the pipe.
BUSY = "<?php file_get_contents($_GET['pipe']); echo 'done';"


@pytest.fixture
def real_fpm(tmp_path: Path) -> Iterator[Pools]:
    """Run a real php-fpm whose pools are given as name={setting: value}.

    The value of "listen" and of "pm.status_listen" is "tcp" or "unix". php-fpm
    inherits sockets that listen already (FPM_SOCKETS, as at its own reload), so that
    no port can be lost. When it is returned, its first children are there.
    """
    command = program("PHP_FPM", "php-fpm8.2", "/usr/sbin")
    (tmp_path / "busy.php").write_text(BUSY)
    conf = tmp_path / "fpm.conf"
    with ExitStack() as stack:

        def run(**pools: dict[str, str]) -> RealFpm:
            with ExitStack() as sockets:
                listeners = _listeners(pools, tmp_path)
                for _, sock in listeners.values():
                    sockets.enter_context(sock)
                listen = {name: shown for name, (shown, _) in listeners.items()}
                conf.write_text(_configuration(pools, listen))
                numbers = {shown: sock.fileno() for shown, sock in listeners.values()}
                inherited = ",".join(f"{name}={fd}" for name, fd in numbers.items())
                process = stack.enter_context(
                    subprocess.Popen(
                        [command, "-n", "-R", "-F", "-y", conf],
                        env=os.environ | {"FPM_SOCKETS": inherited},
                        pass_fds=tuple(numbers.values()),
                        stderr=subprocess.PIPE,
                    )
                )
            stack.callback(process.terminate)
            _wait_until_ready(process)
            return RealFpm(listen, tmp_path, process)

        yield run


def _listeners(
    pools: dict[str, dict[str, str]], folder: Path
) -> dict[str, tuple[str, socket.socket]]:
    """Return a socket for each "pool" and "pool.status", and how php-fpm names it."""
    return {
        pool if name == "listen" else f"{pool}.status": _listener(value, folder)
        for pool, settings in pools.items()
        for name, value in settings.items()
        if name.endswith("listen")
    }


def _configuration(pools: dict[str, dict[str, str]], listen: dict[str, str]) -> str:
    lines = ["[global]", "error_log = /proc/self/fd/2"]
    for pool, settings in pools.items():
        shown = settings | {"listen": listen[pool]}
        if f"{pool}.status" in listen:
            shown["pm.status_listen"] = listen[f"{pool}.status"]
        lines += [f"[{pool}]", *DEFAULTS, f"user = {_user()}"]
        lines += [f"{name} = {value}" for name, value in shown.items()]
    return "\n".join([*lines, ""])


def _wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    said = b""
    while b"ready to handle connections" not in said:
        line = process.stderr.readline()
        assert line, said.decode()
        said += line


DEFAULTS = (
    "pm = static",
    "pm.max_children = 1",
    "pm.status_path = /status",
    "ping.path = /ping",
)


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _listener(kind: str, folder: Path) -> tuple[str, socket.socket]:
    if kind == "unix":
        sock = socket.socket(socket.AF_UNIX)
        path = folder / f"{sock.fileno()}.sock"
        sock.bind(str(path))
        sock.listen()
        return str(path), sock
    sock = socket.create_server(("127.0.0.1", 0))
    return f"127.0.0.1:{sock.getsockname()[1]}", sock


def uri_of(listen: str, path: str = "/status") -> str:
    return (
        f"unix:{listen}:{path}" if listen.startswith("/") else f"tcp://{listen}{path}"
    )
