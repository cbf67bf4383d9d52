"""`make local`: the programs as plain processes, without Docker."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import ROOT, free_ports, get_json, wait_until


pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PORTS = ("LOKI_PORT", "NODE_EXPORTER_PORT", "PROMTAIL_PORT", "NGINX_EXPORTER_PORT")


def command(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "deploy.stack",
            f"--env-file={folder / '.env'}", f"--state={folder / 'state'}", name,
        ],
        cwd=ROOT,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.fixture
def local(tmp_path: Path) -> Iterator[dict[str, int]]:
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    (tmp_path / "logs").mkdir()
    lines = [f"{name}={port}" for name, port in ports.items()]
    lines += [f"LOCAL_LOGS={tmp_path}/logs/*.log", "COMPOSE_PROJECT_NAME=no-such"]
    (tmp_path / ".env").write_text("\n".join(lines) + "\n")
    try:
        started = command(tmp_path, "local")
        assert started.returncode == 0, started.stdout
        for name in PORTS[:3]:
            assert f"http://127.0.0.1:{ports[name]}" in started.stdout
        yield ports
    finally:
        stopped = command(tmp_path, "down")
    assert stopped.returncode == 0, stopped.stdout
    assert not list((tmp_path / "state/local").glob("*.pid"))


def test_host_metrics_and_log_files_arrive(
    local: dict[str, int], tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{local['NODE_EXPORTER_PORT']}/metrics"
    with urllib.request.urlopen(address, timeout=20) as answer:
        assert b"\nnode_load1 " in answer.read()

    log = tmp_path / "logs" / "app.log"
    log.write_text("".join(f"line {number}\n" for number in range(500)))
    query = {
        "query": f'{{filename="{log}"}}',
        "start": time.time_ns() - 60 * 10**9,
        "limit": 5000,
    }

    def stored() -> list[str]:
        path = f"/loki/api/v1/query_range?{urllib.parse.urlencode(query)}"
        answer = get_json(f"http://127.0.0.1:{local['LOKI_PORT']}{path}")
        streams = answer["data"]["result"]
        return sorted(line for stream in streams for _, line in stream["values"])

    wait_until(lambda: len(stored()) >= 500, "500 lines are stored")
    assert stored() == sorted(f"line {number}" for number in range(500))


def test_a_busy_port_is_one_line(local: dict[str, int], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / ".env").write_text((tmp_path / ".env").read_text())
    started = command(other, "local")
    command(other, "down")
    assert started.returncode == 1
    assert started.stdout.strip().splitlines()[-1] == (
        f"deploy: port {local['LOKI_PORT']}: Address already in use: store needs it: "
        f"set {' or '.join(PORTS)}"
    )
