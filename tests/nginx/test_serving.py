"""The whole exporter behind ``--web.config.file``, systemd and HEALTHCHECK."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import aiohttp
import bcrypt
import pytest

from tests.nginx.conftest import Start, always, fake_nginx, page, response


LISTEN = "--web.listen-address=127.0.0.1:0"
OURS = (sys.executable, "-m", "exporters.nginx")
# What systemd does: the socket becomes number 3, then the program starts.
AS_SYSTEMD = """
import os, socket, sys
path = sys.argv[1]
sock = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
sock.bind(path or ("127.0.0.1", 0))
sock.listen()
os.dup2(sock.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "exporters.nginx", *sys.argv[2:]])
"""
CONFIG = """
tls_server_config: {{cert_file: {certificate}.crt, key_file: {certificate}}}
basic_auth_users: {{prometheus: {hashed}}}
"""


def healthcheck(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*OURS, "healthcheck", *argv],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | environ,
    )


async def test_tls_and_users(
    start_exporter: Start, certificate: Path, tmp_path: Path
) -> None:
    hashed = bcrypt.hashpw(b"sekret", bcrypt.gensalt(4)).decode()
    config = tmp_path / "web.yml"
    config.write_text(CONFIG.format(certificate=certificate, hashed=hashed))
    context = ssl.create_default_context(cafile=f"{certificate}.crt")
    async with fake_nginx(always(response(page(9)))) as (_, uri):
        exporter = await asyncio.to_thread(
            start_exporter,
            LISTEN,
            f"--nginx.scrape-uri={uri}",
            env={"CONFIG_FILE": str(config)},
        )
        address = exporter.url.removeprefix("http://")
        connector = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(connector=connector) as session:
            url = f"https://{address}/metrics"
            async with session.get(url) as refused:
                assert refused.status == 401
            user = "Basic " + b64encode(b"prometheus:sekret").decode()
            async with session.get(url, headers={"Authorization": user}) as answer:
                assert "nginx_http_requests_total 9\n" in await answer.text()
    alive = await asyncio.to_thread(healthcheck, address)
    assert (alive.returncode, alive.stderr) == (0, "")
    assert await asyncio.to_thread(exporter.stop) == 0


@pytest.mark.parametrize("path", ["/metrics", "/probe?target={uri}"])
async def test_who_leaves_is_not_worked_for(start_exporter: Start, path: str) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        left.set()
        writer.close()

    nginx = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with nginx, asyncio.timeout(30):
        uri = f"http://127.0.0.1:{nginx.sockets[0].getsockname()[1]}/stub_status"
        exporter = await asyncio.to_thread(
            start_exporter,
            LISTEN,
            "--nginx.timeout=1h",
            f"--nginx.scrape-uri={uri}",
            "--probe.allow=127.0.0.0/8",
        )
        host, _, port = exporter.url.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        request = f"GET {path.format(uri=uri)} HTTP/1.1\r\nHost: x\r\n\r\n"
        writer.write(request.encode())
        await asked.wait()
        writer.close()
        await left.wait()


async def test_healthcheck_finds_what_the_exporter_is_told(
    start_exporter: Start, tmp_path: Path
) -> None:
    path = tmp_path / "s"
    exporter = await asyncio.to_thread(
        start_exporter,
        "--web.listen-address=127.0.0.1:0",
        f"--web.listen-address=unix:{path}",
    )
    address = exporter.url.removeprefix("http://")
    for argv, environ in (
        ((address,), {}),
        ((f"--web.listen-address={address}",), {}),
        ((), {"LISTEN_ADDRESS": address}),
        ((f"unix:{path}",), {}),
        ((f"unix:{path}:/-/ready",), {}),
    ):
        done = await asyncio.to_thread(healthcheck, *argv, **environ)
        assert (done.returncode, done.stderr) == (0, ""), argv
    missing = await asyncio.to_thread(healthcheck, f"{address}/nope")
    assert missing.returncode == 1
    assert missing.stderr == (
        f"healthcheck: {address}/nope: expected 200, got 'HTTP/1.0 404 Not Found'\n"
    )
    assert await asyncio.to_thread(exporter.stop) == 0
    gone = await asyncio.to_thread(healthcheck, f"unix:{path}")
    assert gone.returncode == 1
    assert gone.stderr == f"healthcheck: unix:{path}: No such file or directory\n"


@pytest.mark.parametrize("unix", [False, True])
async def test_a_socket_of_systemd(
    start_exporter: Start, tmp_path: Path, unix: bool
) -> None:
    path = tmp_path / "s"
    exporter = await asyncio.to_thread(
        start_exporter,
        "--web.systemd-socket",
        command=(sys.executable, "-c", AS_SYSTEMD, str(path) if unix else ""),
    )
    address = exporter.url.removeprefix("http://")
    where = f"unix:{address}" if unix else address
    done = await asyncio.to_thread(healthcheck, where)
    assert (done.returncode, done.stderr) == (0, "")
    assert await asyncio.to_thread(exporter.stop) == 0
    assert "Listening on systemd activated listeners" in "".join(exporter.log)
    assert path.exists() == unix, "systemd's socket is left to systemd"
