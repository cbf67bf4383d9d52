"""Servers that answer whatever a test wants, and a real nginx."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from exporters.nginx.http.client import Client, Network
from exporters.nginx.http.resolver import Resolver
from exporters.nginx.targets import parse_target
from tests.programs import program


PAGE = (
    b"Active connections: 7 \n"
    b"server accepts handled requests\n"
    b" 16 15 %d \n"
    b"Reading: 1 Writing: 2 Waiting: 4 \n"
)


def page(requests: int = 31) -> bytes:
    return PAGE % requests


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class FakeNginx:
    """Speak to each request with *answer*; keep what was asked."""

    answer: Answer
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection in a task that close() ends."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        with suppress(asyncio.CancelledError, ConnectionError):
            await task
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
        self._tasks.discard(task)
        self.closed.set()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head.decode("latin-1"))
                self.asked.set()
                await self.answer(writer)
                await writer.drain()

    async def close(self) -> None:
        """End every connection and wait until it is gone."""
        for task in tuple(self._tasks):
            task.cancel()
        while self._tasks:
            self.closed.clear()
            await self.closed.wait()


def always(data: bytes, *, close: bool = False) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        if close:
            await writer.drain()
            writer.close()

    return answer


@asynccontextmanager
async def fake_nginx(
    answer: Answer,
    *,
    path: Path | None = None,
    tls: ssl.SSLContext | None = None,
    address: tuple[str, int] = ("127.0.0.1", 0),
) -> AsyncIterator[tuple[FakeNginx, str]]:
    """Serve *answer* at *address*, a free port, or on the unix socket *path*."""
    fake = FakeNginx(answer)
    if path is not None:
        server: asyncio.Server = await asyncio.start_unix_server(fake.serve, path)
        uri = f"unix:{path}:/stub_status"
    else:
        server = await asyncio.start_server(fake.serve, *address, ssl=tls, backlog=4096)
        host, port = server.sockets[0].getsockname()
        uri = f"{'https' if tls else 'http'}://{host}:{port}/stub_status"
    try:
        yield fake, uri
    finally:
        server.close()
        await fake.close()


Connect = Callable[..., Awaitable[Client]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Open clients that are closed after the test; more is fields of their Network."""
    insecure = ssl.create_default_context()
    insecure.check_hostname = False
    insecure.verify_mode = ssl.CERT_NONE
    with ThreadPoolExecutor(2) as executor:
        async with AsyncExitStack() as stack:

            async def open_client(
                uri: str, tls: ssl.SSLContext = insecure, **more: Any
            ) -> Client:
                usual = Network(Resolver(executor), tls, "NGINX-Prometheus-Exporter")
                network = replace(usual, **more)
                return await stack.enter_async_context(
                    Client(parse_target(uri), network)
                )

            yield open_client


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
        f"-keyout {path} -out {path}.crt -days 2 -subj /CN=nginx "
        f"-addext subjectAltName=IP:127.0.0.1"
    )
    try:
        subprocess.run(command.split(), check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl in PATH")
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@dataclass(frozen=True)
class RealNginx:
    """The addresses of a running nginx; *proxied* ones want the PROXY protocol."""

    url: str
    socket: Path
    process: subprocess.Popen[bytes]
    proxied_url: str
    proxied_socket: Path
    conf: Path

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


NGINX_CONF = """
daemon off; worker_processes 1; pid {prefix}/nginx.pid;
error_log {prefix}/error.log notice;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {prefix}/body; proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi; uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    server {{
        listen 127.0.0.1:{port}; listen unix:{prefix}/nginx.sock;
        location = /stub_status {{ stub_status; }}
        location = /constant {{ default_type text/plain; return 200 "{page}"; }}
        location = /moved {{ return 302 /stub_status; }}
        location = /loop {{ return 302 /loop; }}
        location = /forbidden {{ return 403; }}
        location / {{ return 404; }}
        location = /html {{ default_type text/html; return 200 "<html>hello</html>"; }}
    }}
    server {{
        listen 127.0.0.1:{proxied_port} proxy_protocol;
        listen unix:{prefix}/proxied.sock proxy_protocol;
        location = /stub_status {{ stub_status; }}
        location = /who {{ return 200 "$proxy_protocol_addr $proxy_protocol_port"; }}
    }}
}}
"""


@pytest.fixture
def real_nginx(tmp_path: Path) -> Iterator[RealNginx]:
    """Run a real nginx on a free port and a unix socket, with its files in a temp.

    nginx inherits sockets that listen already, as in a binary upgrade
    (ngx_add_inherited_sockets), so that nothing has to wait until it is up.
    """
    nginx = program("NGINX", "nginx", "/usr/sbin")
    conf = tmp_path / "nginx.conf"
    paths = [tmp_path / "nginx.sock", tmp_path / "proxied.sock"]
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in paths]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        ports = [listener.getsockname()[1] for listener in listeners]
        for path in paths:
            listeners.append(stack.enter_context(socket.socket(socket.AF_UNIX)))
            listeners[-1].bind(str(path))
        for listener in listeners:
            listener.listen()
            listener.setblocking(False)  # nginx takes them as they are, and shares them
        conf.write_text(
            NGINX_CONF.format(
                prefix=tmp_path,
                port=ports[0],
                proxied_port=ports[1],
                page=page().decode().replace("\n", "\\n"),
            )
        )
        numbers = [listener.fileno() for listener in listeners]
        process = subprocess.Popen(
            [nginx, "-p", tmp_path, "-c", conf, "-e", tmp_path / "error.log"],
            env=os.environ | {"NGINX": "".join(f"{number};" for number in numbers)},
            pass_fds=numbers,
        )
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    running = RealNginx(urls[0], paths[0], process, urls[1], paths[1], conf)
    try:
        yield running
    finally:
        running.stop()


@dataclass(frozen=True)
class RunningExporter:
    """An exporter in its own process, and what it wrote to stderr so far."""

    url: str
    process: subprocess.Popen[str]
    log: list[str]

    async def get(self, path: str = "/metrics", **headers: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(self.url + path) as response,
        ):
            return response.status, await response.text()

    def stop(self) -> int:
        """Ask it to stop; return its exit code. Its log is whole then."""
        self.process.terminate()
        _, rest = self.process.communicate(timeout=20)
        self.log.append(rest)
        return self.process.returncode


Start = Callable[..., RunningExporter]


@pytest.fixture
def start_exporter() -> Iterator[Start]:
    """Start exporters, ours or another, that are stopped after the test."""
    running: list[RunningExporter] = []

    def start(
        *flags: str,
        command: tuple[str, ...] = (sys.executable, "-m", "exporters.nginx"),
        started: str = 'msg="Listening on" address=',
        env: dict[str, str] | None = None,
    ) -> RunningExporter:
        process = subprocess.Popen(
            [*command, *flags],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env=os.environ | (env or {}),
        )
        assert process.stderr is not None
        exporter = RunningExporter("", process, [])
        running.append(exporter)
        while started not in (line := process.stderr.readline()):
            exporter.log.append(line)
            if not line:
                pytest.fail(f"{command} did not start: {exporter.log}")
        exporter.log.append(line)
        return replace(exporter, url=f"http://{line.strip().rpartition(started)[2]}")

    yield start
    for exporter in running:
        if exporter.process.returncode is None:
            exporter.stop()
