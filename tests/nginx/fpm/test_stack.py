"""The files of the stack, with a real nginx and a real php-fpm: who sees the status."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.deploy.nginx.site import DEPLOY, started
from tests.nginx.fpm.conftest import Collect, Pools, RealFpm, reasons, samples, uri_of
from tests.programs import program


FPM_CONF = DEPLOY / "wordpress/zz-status.conf"
WORDPRESS = "<?php http_response_code(404); echo 'WordPress has no such page';"


@pytest.fixture
def wordpress(real_fpm: Pools, tmp_path: Path) -> RealFpm:
    """Run a pool with the pages of zz-status.conf, on free ports."""
    pool = ConfigParser(comment_prefixes=";", interpolation=None)
    pool.read(FPM_CONF)
    pages = {
        name: value
        for name, value in pool["www"].items()
        if name.startswith(("pm.status", "ping."))
    }
    html = tmp_path / "html"
    html.mkdir()
    (html / "index.php").write_text(WORDPRESS)
    return real_fpm(www={"listen": "tcp", **pages, "pm.status_listen": "tcp"})


@pytest.fixture
def front(wordpress: RealFpm, tmp_path: Path) -> Iterator[int]:
    """Run nginx with the stack's configuration; return its published port."""
    nginx = program("NGINX", "nginx", "/usr/sbin")
    with started(nginx, tmp_path, wordpress.listen["www"]) as (ports, _):
        yield ports["published"]


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
