"""The files of the stack, with a real nginx and a real php-fpm: who sees the status."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nginx.conftest import program
from tests.nginx.fpm.conftest import Collect, Pools, RealFpm, reasons, samples, uri_of


DEPLOY = Path(__file__).parents[3] / "deploy"
FPM_CONF = DEPLOY / "wordpress/zz-status.conf"
WORDPRESS = "<?php http_response_code(404); echo 'WordPress has no such page';"

NGINX_CONF = """
daemon off; worker_processes 1; pid {0}/nginx.pid; error_log {0}/nginx.log notice;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {0}/body; proxy_temp_path {0}/proxy;
    fastcgi_temp_path {0}/fastcgi; uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;
    {1}
}}
"""


@pytest.fixture
def wordpress(real_fpm: Pools, tmp_path: Path) -> RealFpm:
    """Run a pool with the settings of zz-status.conf, on free ports."""
    lines = FPM_CONF.read_text().splitlines()
    pairs = (line.split(" = ") for line in lines if line[:1] not in {";", "["})
    html = tmp_path / "html"
    html.mkdir()
    (html / "index.php").write_text(WORDPRESS)
    return real_fpm(www={"listen": "tcp", **dict(pairs), "pm.status_listen": "tcp"})


@pytest.fixture
def front(wordpress: RealFpm, tmp_path: Path) -> Iterator[int]:
    """Run nginx with the stack's configuration; return its port."""
    nginx = program("NGINX", "nginx", "/usr/sbin")
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        site = (DEPLOY / "nginx/default.conf").read_text()
        site = re.sub(r"\baccess_log [^;]*;|\blog_format [^;]*;", "", site)
        site = site.replace("listen 80", f"listen 127.0.0.1:{port}")
        site = site.replace("/var/www/html", f"{tmp_path}/html")
        site = site.replace("wordpress:9000", wordpress.listen["www"])
        (tmp_path / "nginx.conf").write_text(NGINX_CONF.format(tmp_path, site))
        shutil.copy(DEPLOY / "debian/nginx/fastcgi_params", tmp_path)
        process = subprocess.Popen(
            [nginx, "-p", tmp_path, "-c", "nginx.conf", "-e", tmp_path / "nginx.log"],
            env=os.environ | {"NGINX": f"{sock.fileno()};"},
            pass_fds=(sock.fileno(),),
        )
    yield port
    process.terminate()
    process.wait(10)


async def test_the_exporter_sees_it(
    wordpress: RealFpm, collector: Collect, caplog: pytest.LogCaptureFixture
) -> None:
    uris = [uri_of(listen, "/fpm-status") for listen in wordpress.listen.values()]
    assert len(uris) == 2
    families = await collector(*uris).collect(None)
    assert samples(families, "phpfpm_up") == dict.fromkeys(uris, 1), reasons(caplog)


@pytest.mark.parametrize(
    "path",
    [
        "/fpm-status",
        "/fpm-status?json&full",
        "/fpm-ping",
        "//fpm-status",
        "/%66pm-status",
        "/x/../fpm-status",
        "/index.php/fpm-status",
        "/fpm-status/",
        "/fpm-status.php",
        "/fpm-status/x.php",
        "/fpm-status%00.php",
    ],
)
async def test_visitors_do_not(front: int, path: str) -> None:
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", front)
        writer.write(f"GET {path} HTTP/1.0\r\nHost: example.org\r\n\r\n".encode())
        text = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
    assert re.match("HTTP/1.1 (404|400) ", text), text
    assert "accepted conn" not in text
    assert "pong" not in text
