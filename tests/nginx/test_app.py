"""All parts in one exporter: what one of them does, the others do not feel."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from docs import nginx_metrics
from tests.nginx.access_log.sending import message, send_unix
from tests.nginx.conftest import (
    RunningExporter,
    Start,
    always,
    fake_nginx,
    page,
    response,
)
from tests.nginx.fpm.conftest import always as fpm_always, answer, fake_fpm
from tests.nginx.fpm.pages import child, page as fpm_page
from tests.nginx.plus.server import RecordedApi, serve


LISTEN = "--web.listen-address=127.0.0.1:0"
HUNG = "tcp://127.0.0.1:{}/status"


@pytest.fixture
def access_socket() -> Iterator[Path]:
    # Not tmp_path: a socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "access.sock"


async def _start(start: Start, *flags: str) -> RunningExporter:
    return await asyncio.to_thread(start, LISTEN, *flags)


async def test_everything_at_once(start_exporter: Start, access_socket: Path) -> None:
    async with (
        fake_nginx(always(response(page(31)))) as (_, nginx),
        fake_fpm(fpm_always(answer(fpm_page(child())))) as (_, pool),
    ):
        exporter = await _start(
            start_exporter,
            f"--nginx.scrape-uri={nginx}",
            f"--fpm.scrape-uri={pool}",
            f"--accesslog.syslog-listen=unix:{access_socket}",
            "--probe.allow=127.0.0.0/8",
            "--prometheus.const-label=env=prod",
        )
        send_unix(access_socket, message('{"method":"GET","status":"204"}'))
        _, probed = await exporter.get(f"/probe?target={quote(nginx, safe='')}")
        status, text = await exporter.get()
    assert status == 200
    assert _families(text) - _documented() == set()
    lines = text.splitlines()
    assert 'nginx_http_requests_total{env="prod"} 31' in lines
    assert f'phpfpm_up{{env="prod",pool="www",scrape_uri="{pool}"}} 1' in lines
    count = "nginx_http_response_count_total"
    assert f'{count}{{env="prod",method="GET",status="204"}} 1' in lines
    probes = "nginx_exporter_probes_total"
    assert f'{probes}{{module="stub_status",result="success"}} 1' in lines
    assert "probe_success 1" in probed.splitlines()
    assert "phpfpm" not in probed
    assert "http_response_count" not in probed
    assert await asyncio.to_thread(exporter.stop) == 0
    assert not await asyncio.to_thread(access_socket.exists)


def _families(text: str) -> set[str]:
    """Return the families in *text*, without those of every exporter."""
    usual = "process_|promhttp_|nginx_exporter_build_info"
    return set(re.findall(rf"(?m)^# TYPE (?!{usual})(\S+)", text))


def _documented() -> set[str]:
    return set(re.findall(r"(?m)^\| \*?`(\w+)`", nginx_metrics.PAGE.read_text()))


async def test_who_hangs_keeps_nobody_waiting(start_exporter: Start) -> None:
    async def silence(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with (
        fake_nginx(silence) as (_, hung),
        fake_nginx(always(response(page(31)))) as (_, nginx),
        fake_nginx(silence) as (_, hung_pool),
        fake_fpm(fpm_always(answer(fpm_page(child())))) as (_, pool),
    ):
        port = hung_pool.partition("127.0.0.1:")[2].partition("/")[0]
        exporter = await _start(
            start_exporter,
            f"--nginx.scrape-uri={hung},{nginx}",
            f"--fpm.scrape-uri={pool},{HUNG.format(port)}",
        )
        began = time.monotonic()
        _, text = await exporter.get(
            **{"X-Prometheus-Scrape-Timeout-Seconds": "2"},
        )
        seconds = time.monotonic() - began
    assert seconds < 2
    lines = text.splitlines()
    assert f'nginx_up{{addr="{hung}"}} 0' in lines
    assert f'nginx_up{{addr="{nginx}"}} 1' in lines
    assert f'phpfpm_up{{pool="www",scrape_uri="{pool}"}} 1' in lines
    assert f'phpfpm_up{{pool="",scrape_uri="{HUNG.format(port)}"}} 0' in lines


async def test_an_empty_uri_asks_no_nginx(start_exporter: Start) -> None:
    async with fake_fpm(fpm_always(answer(fpm_page()))) as (_, pool):
        exporter = await _start(
            start_exporter, "--nginx.scrape-uri=", f"--fpm.scrape-uri={pool}"
        )
        _, text = await exporter.get()
    assert "nginx_up" not in text
    assert "phpfpm_up" in text


def test_an_empty_uri_and_nothing_else_is_a_mistake() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "exporters.nginx", LISTEN, "--nginx.scrape-uri="],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert "no scrape addresses provided" in done.stderr.splitlines()[-1]


async def test_every_module_can_be_probed(start_exporter: Start) -> None:
    async with (
        serve(RecordedApi()) as plus,
        fake_fpm(fpm_always(answer(fpm_page(child())))) as (_, pool),
    ):
        exporter = await _start(
            start_exporter, "--nginx.scrape-uri=", "--probe.allow=127.0.0.0/8"
        )
        for module, target, up in (
            ("plus", plus, "nginxplus_up 1"),
            ("fpm", pool, f'phpfpm_up{{pool="www",scrape_uri="{pool}"}} 1'),
        ):
            where = f"/probe?module={module}&target={quote(target, safe='')}"
            status, text = await exporter.get(where)
            assert (status, up in text.splitlines()) == (200, True), text
            assert "probe_success 1" in text.splitlines()


async def test_plus_is_read_with_the_flag(start_exporter: Start) -> None:
    async with serve(RecordedApi()) as uri:
        exporter = await _start(
            start_exporter, "--nginx.plus", f"--nginx.scrape-uri={uri}"
        )
        _, text = await exporter.get()
    assert "nginxplus_up 1" in text.splitlines()
    assert "nginx_up" not in text
