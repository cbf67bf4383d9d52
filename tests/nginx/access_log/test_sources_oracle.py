"""One configuration file, one nginx: prometheus-nginxlog-exporter, then ours.

The program's path is in NGINXLOG_EXPORTER; without it the test is skipped.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from exporters.nginx.access_log.flags import access_logs
from exporters.toolkit.exposition import encode
from tests.nginx.access_log.nginx_log import LoggingNginx, logging_nginx
from tests.nginx.access_log.sending import PATIENCE_SECONDS, values


pytestmark = pytest.mark.oracle

CONFIG = """
listen: {{address: 127.0.0.1, port: {web}}}
namespaces:
- name: shop
  namespace_label: vhost
  metrics_override: {{prefix: web}}
  parser: json
  source:
    syslog:
      listen_address: "udp://127.0.0.1:{syslog}"
      format: rfc3164
      tags: [shop]
  relabel_configs:
  - {{target_label: method, from: method}}
  - {{target_label: host, from: host, whitelist: [127.0.0.1]}}
- name: blog
  namespace_label: vhost
  metrics_override: {{prefix: web}}
  format: '$remote_addr - $remote_user [$time_local] "$request" $status
    $body_bytes_sent "$http_referer" "$http_user_agent"'
  source: {{files: ["{folder}/blog*.log"]}}
  labels: {{app: blog}}
  relabel_configs:
  - target_label: path
    from: request
    split: 2
    matches: [{{regexp: "^/users/[0-9]+", replacement: "/users/:id"}}]
"""
# What tells that both sources are there; not compared.
SIGNAL = "/missing"
REQUESTS = ("/", "/users/12", "/users/13/mail", "/a%20b?c=%22d%22", "/" + "x" * 3000)
FAMILIES = ("response_count_total", "response_size_bytes", "request_size_bytes")

Page = Callable[[], Awaitable[str]]


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@asynccontextmanager
async def theirs(config: Path, web: int) -> AsyncIterator[Page]:
    program = os.environ.get("NGINXLOG_EXPORTER")
    if not program:
        pytest.skip("no prometheus-nginxlog-exporter: not in $NGINXLOG_EXPORTER")
    process = await asyncio.create_subprocess_exec(
        program,
        "-config-file",
        config,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    async with aiohttp.ClientSession() as session:

        async def page() -> str:
            try:
                async with session.get(f"http://127.0.0.1:{web}/metrics") as answer:
                    return await answer.text()
            except aiohttp.ClientError:
                return ""

        try:
            yield page
        finally:
            process.kill()
            await process.wait()


@asynccontextmanager
async def ours(config: Path, _web: int) -> AsyncIterator[Page]:
    async with access_logs(values(f"--accesslog.config-file={config}")) as logs:

        async def page() -> str:
            assert logs is not None
            return encode(await logs.collect(None)).decode()

        yield page


def _counts(page: str, *words: str) -> list[str]:
    """Return the lines of the families that are compared and have all *words*."""
    return [
        line
        for line in page.splitlines()
        if line.startswith("web_") and any(name in line for name in FAMILIES)
        if all(word in line for word in words)
    ]


async def _measure(page: Page, nginx: LoggingNginx) -> list[str]:
    """Return what *page* says of `REQUESTS`, made twice."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not _is_signalled(await page()):
            await asyncio.to_thread(nginx.get, SIGNAL)
        await asyncio.to_thread(nginx.get, *REQUESTS * 2)
        while _total(await page()) < 4 * len(REQUESTS):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    # Theirs gathers while it counts: only the next page has everything everywhere.
    return _counts(await page(), 'status="200"')


def _is_signalled(page: str) -> bool:
    signals = _counts(page, 'status="404"', "response_count_total")
    return len(signals) == 2


def _total(page: str) -> float:
    counted = _counts(page, 'status="200"', "response_count_total")
    return sum(float(line.rpartition(" ")[2]) for line in counted)


async def test_the_same_file_gives_the_same_numbers(tmp_path: Path) -> None:
    web, syslog = _free_port(socket.SOCK_STREAM), _free_port(socket.SOCK_DGRAM)
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(web=web, syslog=syslog, folder=tmp_path))
    log = tmp_path / "blog.access.log"
    log.touch()
    log.chmod(0o666)
    found = []
    with logging_nginx(
        tmp_path,
        f"access_log syslog:server=127.0.0.1:{syslog},tag=shop metrics;",
        f"access_log {log} combined;",
    ) as nginx:
        for run in (theirs, ours):
            async with run(config, web) as page:
                found.append(await _measure(page, nginx))
    assert found[0] == found[1]
    assert len(found[0]) == 9
