"""The example for Prometheus: what promtool and a real Prometheus make of it."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import yaml
from aiohttp import ClientSession

from exporters.nginx.probe import PATH
from exporters.nginx.probe.modules import stub_status
from exporters.nginx.probe.patterns import parse_pattern
from exporters.nginx.probe.target import read_target
from tests.nginx.conftest import fake_nginx, page, response
from tests.nginx.probe.conftest import Names, app_with, network, prober_of
from tests.programs import UNPACKED, program
from tests.toolkit.conftest import running


DEPLOY = Path(__file__).parents[3] / "deploy"
EXAMPLES = DEPLOY / "prometheus" / "examples"
EXAMPLE = EXAMPLES / "nginx-probe.yml"
TARGETS = EXAMPLES / "nginx-probe.targets.yml"
PASSWORD = "nginx-exporter.password"
EXPORTER = "nginx-exporter:9113"


def test_what_it_says_is_what_we_have() -> None:
    text = EXAMPLE.read_text()
    jobs = yaml.safe_load(text)["scrape_configs"]
    probes = [job for job in jobs if job["job_name"] != "nginx-exporter"]
    assert {job["metrics_path"] for job in probes} == {PATH}
    allowed = [
        parse_pattern(line.split("'")[1])
        for line in text.splitlines()
        if "--probe.allow='" in line
    ]
    targets = [
        t for group in yaml.safe_load(TARGETS.read_text()) for t in group["targets"]
    ]
    assert len(targets) == 3
    for target in targets:
        asked = read_target(target)
        assert any(pattern.may_take(asked) for pattern in allowed)


@pytest.mark.oracle
def test_promtool_takes_it(tmp_path: Path) -> None:
    promtool = program("PROMTOOL", "promtool", UNPACKED)
    for path in (EXAMPLE, TARGETS):
        shutil.copy(path, tmp_path)
    (tmp_path / PASSWORD).write_text("x")
    done = subprocess.run(
        [promtool, "check", "config", tmp_path / EXAMPLE.name],
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    assert "SUCCESS" in done.stdout
    assert "WARNING" not in done.stdout


def _write(folder: Path, exporter: str, target: str) -> Path:
    """Write the first job of the example for these two; return the configuration."""
    text = EXAMPLE.read_text().replace(EXPORTER, exporter)
    configuration: dict[str, Any] = yaml.safe_load(text)
    configuration["scrape_configs"] = configuration["scrape_configs"][:1]
    configuration["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration))
    (folder / TARGETS.name).write_text(json.dumps([{"targets": [target]}]))
    (folder / PASSWORD).write_text("secret")
    return path


@asynccontextmanager
async def _prometheus(path: str, configuration: Path) -> AsyncIterator[str]:
    """Run Prometheus; where it can be asked. It does not say which port it took."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = await asyncio.create_subprocess_exec(
        path,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={configuration.parent}/data",
        f"--web.listen-address={address}",
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.oracle
async def test_prometheus_scrapes_by_it(tmp_path: Path) -> None:
    prometheus = program("PROMETHEUS", "prometheus", UNPACKED)
    twice = asyncio.Event()
    users = {"prometheus": bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()}
    web = tmp_path / "web.yml"
    web.write_text(yaml.safe_dump({"basic_auth_users": users}))

    modules = {"stub_status": stub_status(network(), {})}
    prober = prober_of(["127.0.0.1"], Names(), modules)

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(response(page()))
        if len(fake.requests) == 2:  # the first scrape is stored
            twice.set()

    async with (
        fake_nginx(answer) as (fake, uri),
        running(app_with(prober), config_file=str(web)) as exporter,
    ):
        configuration = _write(tmp_path, exporter.addresses[0], uri)
        async with (
            _prometheus(prometheus, configuration) as url,
            ClientSession() as session,
        ):
            async with asyncio.timeout(60):
                await twice.wait()
            found = await _query(session, url, '{job="nginx"}')
            async with session.get(exporter.url + PATH) as stranger:
                assert stranger.status == 401
    instance = uri.split("/")[2]
    assert found["nginx_up"] == (instance, "1")
    assert found["probe_success"] == (instance, "1")
    assert found["nginx_http_requests_total"] == (instance, "31")
    assert not any(name.startswith(("process_", "promhttp_")) for name in found)


async def _query(
    session: ClientSession, url: str, query: str
) -> dict[str, tuple[str, str]]:
    """Return instance and value by name."""
    async with session.get(f"{url}/api/v1/query", params={"query": query}) as answer:
        body = await answer.json()
    return {
        each["metric"]["__name__"]: (each["metric"]["instance"], each["value"][1])
        for each in body["data"]["result"]
    }
