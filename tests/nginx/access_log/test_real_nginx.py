"""What nginx does when the exporter is there, is not there, and comes back.

``access_log syslog:`` of ngx_syslog.c: a datagram for each line, never waiting. Each
test is one row of the table in docs/nginx.md.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exporters.nginx.access_log.flags import access_logs
from exporters.nginx.access_log.sources.datagrams import Datagrams
from exporters.nginx.access_log.sources.intake import Intake
from exporters.nginx.access_log.sources.listen import Listen
from exporters.nginx.access_log.sources.sockets import open_udp
from exporters.nginx.access_log.sources.unix_socket import UnixSocket
from tests.nginx.access_log.nginx_log import CONF, logging_nginx
from tests.nginx.access_log.sending import Lines, values
from tests.nginx.access_log.test_opened import until
from tests.programs import program


pytestmark = pytest.mark.oracle


@pytest.fixture
def short_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the worker's user may look into, with a short name."""
    path = tmp_path_factory.mktemp("s")
    for folder in (path, *path.parents[:2]):
        folder.chmod(0o755)
    return path


@asynccontextmanager
async def receiver(path: Path, lines: Lines) -> AsyncIterator[Intake]:
    """Take in the lines at the socket *path*, as the exporter does."""
    unix = UnixSocket(Listen("unix", path=str(path)), 0o666)
    intake = Intake(f"unix:{path}", {"nginx": lines})
    datagrams = Datagrams(unix.open(), intake.take)
    datagrams.start()
    try:
        yield intake
    finally:
        datagrams.close()
        unix.remove()


def syslog(path: Path, *options: str) -> str:
    return f"access_log syslog:{','.join([f'server=unix:{path}', *options])} uri;"


def uris(*paths: str) -> list[bytes]:
    return [f'{{"request_uri":"{path}"}}'.encode() for path in paths]


@pytest.mark.parametrize(
    "options", [(), ("nohostname",), ("tag=nginx", "severity=debug")]
)
async def test_lines_come_whole(short_path: Path, options: tuple[str, ...]) -> None:
    # Only error_log is held to NGX_SYSLOG_MAX_STR; these are sent whole.
    paths = ["/", "/" + "x" * 3000, "/" + "y" * 60_000]
    path = short_path / "a.sock"
    lines = Lines()
    async with receiver(path, lines) as intake:
        with logging_nginx(short_path, syslog(path, *options)) as nginx:
            await asyncio.to_thread(nginx.get, *paths)
            assert await lines.until(3) == uris(*paths)
            assert await asyncio.to_thread(nginx.stop) == []
    assert not intake.skipped


async def test_error_log_to_the_same_server_is_told_apart(short_path: Path) -> None:
    path = short_path / "a.sock"
    lines = Lines()
    async with receiver(path, lines) as intake:
        with logging_nginx(
            short_path,
            syslog(path),
            f"error_log syslog:server=unix:{path} info;",
            "location = /denied { deny all; }",
        ) as nginx:
            await asyncio.to_thread(nginx.get, "/denied", "/a")
            assert await lines.until(2) == uris("/denied", "/a")
            await asyncio.to_thread(nginx.stop)
    assert intake.skipped["error_log"] >= 1
    assert set(intake.skipped) == {"error_log"}


def test_a_name_that_does_not_resolve_keeps_nginx_from_starting(
    short_path: Path,
) -> None:
    nginx = program("NGINX", "nginx", "/usr/sbin")
    conf = short_path / "nginx.conf"
    conf.write_text(
        CONF.format(
            prefix=short_path,
            port=1,
            workers=1,
            http="",
            directives="access_log syslog:server=exporter.invalid:5514 uri;",
        )
    )
    done = subprocess.run(
        [nginx, "-t", "-p", short_path, "-c", conf],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert 'host not found in syslog server "exporter.invalid:5514"' in done.stderr


async def test_nginx_starts_before_the_exporter(short_path: Path) -> None:
    path = short_path / "a.sock"
    lines = Lines()
    with logging_nginx(short_path, syslog(path)) as nginx:
        await asyncio.to_thread(nginx.get, *["/early"] * 20)  # served, not counted
        async with receiver(path, lines):
            await asyncio.to_thread(nginx.get, "/1", "/2", "/3")
            assert (await lines.until(3))[-2:] == uris("/2", "/3")
        errors = await asyncio.to_thread(nginx.stop)
    # Two lines for each request that found nobody, and nothing else.
    assert {
        line.split("#")[1].split(": ", 1)[1].split(" while")[0][-60:] for line in errors
    } == {
        "connect() failed (2: No such file or directory)",
        "*1 send() to syslog failed",
    }
    assert 38 <= len(errors) <= 40


async def test_the_exporter_is_restarted(short_path: Path) -> None:
    path = short_path / "a.sock"
    lines = Lines()
    with logging_nginx(short_path, syslog(path)) as nginx:
        async with receiver(path, lines):
            await asyncio.to_thread(nginx.get, "/1")
            await lines.until(1)
        async with receiver(path, lines):
            # Sending to the socket of before fails once; then nginx looks again.
            await asyncio.to_thread(nginx.get, "/lost", "/2", "/3")
            assert await lines.until(3) == uris("/1", "/2", "/3")
        errors = await asyncio.to_thread(nginx.stop)
    assert [error for error in errors if "send() failed (111: " in error] == errors[:1]
    assert len(errors) == 2


async def test_an_exporter_that_hangs_does_not_hold_nginx_up(short_path: Path) -> None:
    path = short_path / "a.sock"
    unix = UnixSocket(Listen("unix", path=str(path)), 0o666)
    with unix.open() as sock, logging_nginx(short_path, syslog(path)) as nginx:
        async with asyncio.timeout(60):
            await asyncio.to_thread(nginx.get, *["/"] * 2000)
        errors = await asyncio.to_thread(nginx.stop)
        lines = Lines()
        Datagrams(sock, lines).stop()
        received = len(lines.lines)
    # What the queue holds is there, the rest nginx says it has lost.
    assert 0 < received < 2000
    assert len([line for line in errors if "send() to syslog failed" in line]) == (
        2000 - received
    )


async def test_udp_without_an_exporter(short_path: Path) -> None:
    lines = Lines()
    sock = await open_udp(Listen("udp", "127.0.0.1"))
    port = sock.getsockname()[1]
    sock.close()
    server = f"access_log syslog:server=127.0.0.1:{port},nohostname uri;"
    with logging_nginx(short_path, server) as nginx:
        await asyncio.to_thread(nginx.get, *["/early"] * 20)
        datagrams = Datagrams(
            await open_udp(Listen("udp", "127.0.0.1", port)),
            Intake("udp", {"nginx": lines}).take,
        )
        datagrams.start()
        await asyncio.to_thread(nginx.get, *["/1"] * 10)
        assert (await lines.until(9))[-1:] == uris("/1")
        datagrams.close()
        errors = await asyncio.to_thread(nginx.stop)
    assert len([line for line in errors if "(111: Connection refused)" in line]) >= 9


async def test_lost_datagrams_are_counted(short_path: Path) -> None:
    taken: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        datagrams = Datagrams(sock, taken.append)
        server = f"access_log syslog:server=127.0.0.1:{sock.getsockname()[1]} uri;"
        with logging_nginx(short_path, server) as nginx:
            await asyncio.to_thread(nginx.get, *["/"] * 1000)
            assert await asyncio.to_thread(nginx.stop) == []  # nginx does not know
        lost = datagrams.lost()
        datagrams.start()
        datagrams.stop()
    assert lost > 0
    assert len(taken) + lost == 1000


async def test_the_numbers_are_what_nginx_did(short_path: Path) -> None:
    path = short_path / "a.sock"
    async with access_logs(
        values(
            f"--accesslog.syslog-listen=unix:{path}", "--accesslog.host=shop.example"
        )
    ) as logs:
        server = f"access_log syslog:server=unix:{path},nohostname metrics;"
        with logging_nginx(short_path, server) as nginx:
            await asyncio.to_thread(nginx.get, "/", "/", "/missing")
            count = "nginx_http_response_count_total{host=other,method=GET,status=404}"
            found = await until(logs, count, 1)  # the last of the three
    assert found[count.replace("404", "200")] == 2
    size = "nginx_http_response_size_bytes{host=other,method=GET,status=200}"
    assert found[size] == 4
    assert found["nginx_parse_errors_total{}"] == 0
