from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from exporters.nginx.access_log.flags import access_logs
from exporters.nginx.access_log.opened import AccessLogs
from exporters.toolkit.errors import StartError
from tests.nginx.access_log.sending import PATIENCE_SECONDS, message, send_unix, values


LINE = '{"method":"GET","status":200,"body_bytes_sent":%d}'


async def samples(logs: AccessLogs | None) -> dict[str, float]:
    """Return the values by name and labels."""
    assert logs is not None
    found = {}
    for family in await logs.collect(None):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


async def until(logs: AccessLogs | None, name: str, value: float) -> dict[str, float]:
    """Return the values as soon as *name* is *value*."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await samples(logs)).get(name) != value:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nothing says when a line was counted
    return await samples(logs)


COUNT = "nginx_http_response_count_total{method=GET,status=200}"
SKIPPED = "nginx_exporter_access_log_skipped_messages_total"


async def test_a_socket_and_a_file(tmp_path: Path) -> None:
    path, log = tmp_path / "access.sock", tmp_path / "access.log"
    listen = f"--accesslog.syslog-listen=unix:{path}"
    async with access_logs(
        values(listen, f"--accesslog.file={log}"), {"env": "prod"}
    ) as logs:
        send_unix(path, message(LINE % 5), message(LINE % 6), b"x", message("x", "y"))
        log.write_text(LINE % 7 + "\n")
        found = await until(logs, COUNT.replace("{", "{env=prod,"), 3)
    assert found["nginx_http_response_size_bytes{env=prod,method=GET,status=200}"] == 18
    source = f"source=unix:{path}"
    assert found[f"{SKIPPED}{{reason=malformed,{source}}}"] == 1
    assert found[f"{SKIPPED}{{reason=tag,{source}}}"] == 1
    assert found[f"{SKIPPED}{{reason=error_log,{source}}}"] == 0
    assert found["nginx_exporter_access_log_files{log=nginx}"] == 1
    assert found["nginx_exporter_access_log_unread_bytes{log=nginx}"] == 0
    assert found["nginx_exporter_access_log_truncations_total{log=nginx}"] == 0
    assert not [name for name in found if "lost_lines" in name]  # only nginx knows
    assert not path.exists()


async def test_what_waits_at_the_end_is_counted(tmp_path: Path) -> None:
    path, log = tmp_path / "access.sock", tmp_path / "access.log"
    log.touch()
    listen = f"--accesslog.syslog-listen=unix:{path}"
    async with access_logs(values(listen, f"--accesslog.file={log}")) as logs:
        send_unix(path, *[message(LINE % 5)] * 4)
        log.write_text((LINE % 7 + "\n") * 5)
    assert (await samples(logs))[COUNT] == 9


async def test_a_socket_file_that_was_removed_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "access.sock"
    async with access_logs(values(f"--accesslog.syslog-listen=unix:{path}")) as logs:
        send_unix(path, message(LINE % 5))
        path.unlink()
        await samples(logs)
        send_unix(path, message(LINE % 5))
        await until(logs, COUNT, 2)
        path.unlink()
        os.rename(tmp_path, f"{tmp_path}.away")
        assert (await samples(logs))[COUNT] == 2  # cannot be made: said, no more
        os.rename(f"{tmp_path}.away", tmp_path)
        await samples(logs)
        send_unix(path, message(LINE % 5))
        await until(logs, COUNT, 3)
    assert not path.exists()


async def test_namespaces_on_one_address_and_with_one_prefix(tmp_path: Path) -> None:
    path, file = tmp_path / "access.sock", tmp_path / "c.yaml"
    source = f"source: {{syslog: {{listen_address: 'unix://{path}', tags: [%s]}}}}"
    common = "parser: json, metrics_override: {prefix: web}, namespace_label: vhost"
    file.write_text(
        "namespaces:\n"
        f"- {{name: shop, {common}, {source % 'shop'}}}\n"
        f"- {{name: blog, {common}, {source % 'blog, log'}}}\n"
    )
    async with access_logs(values(f"--accesslog.config-file={file}")) as logs:
        send_unix(path, *(message(LINE % 5, tag) for tag in ("shop", "blog", "log")))
        blog = "web_http_response_count_total{method=GET,status=200,vhost=blog}"
        found = await until(logs, blog, 2)
    assert found[blog.replace("blog", "shop")] == 1
    assert found["web_parse_errors_total{vhost=shop}"] == 0


async def test_what_was_opened_is_closed_when_the_start_fails(tmp_path: Path) -> None:
    path = tmp_path / "access.sock"
    nowhere = tmp_path / "none" / "access.sock"
    listens = [f"--accesslog.syslog-listen=unix:{p}" for p in (path, nowhere)]
    with pytest.raises(StartError, match="expected the folder"):
        async with access_logs(values(*listens)):
            pass
    assert not path.exists()


async def test_udp_and_tcp() -> None:
    listens = [f"--accesslog.syslog-listen={s}://127.0.0.1:0" for s in ("udp", "tcp")]
    async with access_logs(values(*listens)) as logs:
        found = await samples(logs)
    lost = "nginx_exporter_access_log_lost_lines_total{source=udp://127.0.0.1:0}"
    assert found[lost] == 0
    assert found[f"{SKIPPED}{{reason=tag,source=tcp://127.0.0.1:0}}"] == 0
