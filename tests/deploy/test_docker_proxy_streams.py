"""What becomes of a stream in the proxy of the Docker API, and of the shipper."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shipper.docker.engine import Engine
from shipper.docker.frames import STDOUT, Demuxer
from shipper.docker.host import DockerHost
from shipper.docker.ledger import Ledger
from shipper.docker.retry import Retry
from shipper.docker.supervisor import Supervisor
from shipper.docker.tailer import Settings
from shipper.positions import Positions
from shipper.spool.volume import Volume
from tests.deploy.docker_proxy import Daemon, Proxy, proxy
from tests.e2e.stack import wait_until
from tests.shipper.docker.conftest import CountingMeters, MemorySink, name_and_stream
from tests.shipper.docker.real import RealDocker, own_daemon


pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

ID = "0123456789abcdef" * 4
LOG = f"/containers/{ID}/logs"
CLOSE = "Connection: close\r\n"
HEADERS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_each_line_comes_when_it_is_written(double: tuple[Proxy, Daemon]) -> None:
    found, daemon = double
    first, second = threading.Event(), threading.Event()
    daemon.script = [HEADERS, first, b"2\r\na\n\r\n", second, b"2\r\nb\n\r\n0\r\n\r\n"]
    with found.connect() as connection:
        connection.sendall(f"GET {LOG} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert b"200 OK" in connection.recv(65536)
        first.set()
        assert b"a\n" in connection.recv(65536)
        second.set()
        assert b"b\n" in connection.recv(65536)


@pytest.mark.parametrize(
    ("end", "complete"), [(b"0\r\n\r\n", True), (b"", False), (b"5\r\nhal", False)]
)
async def test_a_cut_does_not_look_like_an_end(
    double: tuple[Proxy, Daemon], end: bytes, complete: bool
) -> None:
    found, daemon = double
    daemon.script = [HEADERS + b"6\r\nabcde\n\r\n" + end]
    engine = Engine(DockerHost(f"tcp://127.0.0.1:{found.port}"))
    async with asyncio.timeout(20):
        engine._version = "v1.41"
        async with await engine.logs(ID, 0, [STDOUT]) as response:
            data = b""
            while more := await response.read():
                data += more
    assert data.startswith(b"abcde\n")
    assert response.complete is complete


@pytest.mark.parametrize("headers", [b"", HEADERS + b"2\r\na\n\r\n"])
def test_a_reader_that_goes_is_no_stream_left_behind(
    double: tuple[Proxy, Daemon], headers: bytes
) -> None:
    """Else the daemon follows a silent log for nobody, once for each reconnect."""
    found, daemon = double
    daemon.script = [headers, threading.Event()]
    with found.connect() as connection:
        connection.sendall(f"GET {LOG} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        wait_until(lambda: len(daemon.heads) == 1, "the request arrives")
    assert daemon.left.acquire(timeout=20)


def test_two_hundred_containers_are_followed_at_once(
    double: tuple[Proxy, Daemon],
) -> None:
    found, daemon = double
    go = threading.Event()
    daemon.script = [HEADERS + b"2\r\na\n\r\n", go, b"2\r\nb\n\r\n0\r\n\r\n"]
    request = f"GET {LOG} HTTP/1.1\r\nHost: a\r\n{CLOSE}\r\n".encode()
    with ExitStack() as stack:
        readers = [stack.enter_context(found.connect()) for _ in range(200)]
        for reader in readers:
            reader.sendall(request)
        wait_until(lambda: len(daemon.heads) == 200, "200 streams")
        go.set()
        for reader in readers:
            answer = b""
            while data := reader.recv(65536):
                answer += data
            assert b"a\n" in answer
            assert b"b\n" in answer


def test_it_stops_at_once_though_streams_never_end(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "docker.sock")
    daemon.script = [HEADERS + b"2\r\na\n\r\n", threading.Event()]
    with proxy(tmp_path) as found, found.connect() as connection:
        connection.sendall(f"GET {LOG} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert b"200 OK" in connection.recv(65536)

        def stopped() -> bool:
            # The image's own signal; HAProxy loses one that comes in its first moments.
            found.container.run("sh", "-c", "kill -USR1 1")
            return not found.container.running()

        wait_until(stopped, "HAProxy has stopped", 20)
    daemon.end()


@pytest.fixture(scope="module")
def engine_here() -> Iterator[RealDocker]:
    with own_daemon() as real:
        yield real


def users() -> list[str]:
    """Root without capabilities, who owns the socket; and its group, where one is."""
    path = Path("/var/run/docker.sock")
    return ["0:0", f"99:{path.stat().st_gid}"] if path.exists() else ["0:0"]


@pytest.mark.parametrize("user", users())
def test_the_real_daemon_is_asked_without_capabilities(
    engine_here: RealDocker, user: str
) -> None:
    with proxy("/var/run", f"--user={user}") as found:
        container_id = found.container.inspect("{{.Id}}")
        answers = {
            target: found.ask(target)
            for target in (
                "/v1.41/version",
                "/v1.41/containers/json?all=1",
                "/v1.41/networks",
                f"/v1.41/containers/{container_id}/json",
                f"/v1.41/containers/{container_id}/logs?stdout=1",
                "/v1.41/events?since=1&until=2",
            )
        }
        assert answers == dict.fromkeys(answers, 200)
        assert found.ask(f"/containers/{container_id}/archive?path=/etc/passwd") == 403
        check = ("wget", "-q", "-O", os.devnull, "http://127.0.0.1:2375/_ping")
        assert found.container.run(*check).returncode == 0
        state = found.container.run("cat", "/proc/1/status").stdout
        assert "CapEff:\t0000000000000000" in state
        assert f"Uid:\t{user.partition(':')[0]}\t" in state


async def test_no_line_is_lost_or_doubled_when_the_proxy_restarts(
    engine_here: RealDocker, tmp_path: Path
) -> None:
    lines = 6000
    script = f"i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo line $i; "
    script += "[ $((i % 100)) -eq 0 ] && sleep 0.05; done; true"
    sink = MemorySink()
    with proxy("/var/run") as found:
        ledger = Ledger(
            Positions(str(tmp_path / "positions.yaml")),
            "job",
            Volume(str(tmp_path / "spool"), 1 << 30),
        )
        await ledger.open_spool()
        settings = Settings(name_and_stream, sink, CountingMeters(), Retry(0.02, 0.5))
        engine = Engine(DockerHost(f"tcp://127.0.0.1:{found.port}"))
        filters = {"label": [f"shipper-test={engine_here.mark}"]}
        supervisor = Supervisor(engine, ledger, settings, filters=filters)
        task = asyncio.create_task(supervisor.run())
        container_id = await engine_here.run(script=script)
        for seen in (500, 2500):
            await sink.wait_for(seen, 60)
            await engine_here("restart", "-t", "0", found.container.name)
        await engine_here.wait(container_id)
        await sink.wait_for(lines, 90)
        supervisor.stop_reading()
        await task
    assert sink.lines == [b"line %d" % number for number in range(1, lines + 1)]


async def test_a_log_through_it_is_what_docker_shows(engine_here: RealDocker) -> None:
    script = "seq 1 20000; head -c 100000 /dev/zero | tr '\\0' x"
    container_id = await engine_here.run(script=script)
    await engine_here.wait(container_id)
    shown = (await engine_here("logs", container_id))[0].splitlines()
    demuxer = Demuxer()
    lines: list[bytes] = []
    with proxy("/var/run") as found:
        engine = Engine(DockerHost(f"tcp://127.0.0.1:{found.port}"))
        log = await engine.logs(container_id, 0, [STDOUT], follow=False)
        async with log as response:
            while data := await response.read():
                lines += [entry.line for _, entry in demuxer.feed(data)]
            lines += [entry.line for _, entry in demuxer.flush()]
    assert response.complete
    assert len(lines) == 20001
    assert lines == shown
