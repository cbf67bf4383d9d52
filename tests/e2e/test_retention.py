"""What is too old goes, and gives its room back: with the stack's own flags and files.

Programs as they are on this machine, without containers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.stack import ROOT, free_ports, get_json, wait_until
from tests.programs import UNPACKED, program


DEPLOY = ROOT / "deploy"
HOUR, DAY = 3600, 86400
BATCH = 2000


def flags(file: str, service: str, **values: str) -> list[str]:
    """Return the command of *service* as Compose fills it in."""
    services = yaml.safe_load((DEPLOY / file).read_text())["services"]
    return [
        re.sub(
            r"\$\{(\w+):-([^}]*)\}",
            lambda match: values.get(match[1], match[2]),
            argument,
        )
        for argument in services[service]["command"]
    ]


@contextmanager
def running(ready: str, *command: str | Path) -> Iterator[None]:
    """Run *command* until the block ends; it answers at the address *ready*."""
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT) as process,
    ):
        try:
            wait_until(lambda: answers(process, ready), f"{ready} answers")
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)
            output.seek(0)
            print(output.read().decode(errors="replace")[-4000:])


def answers(process: subprocess.Popen[bytes], url: str) -> bool:
    assert process.poll() is None, "it ended"
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blocks of two hours, 40, 20, 10 and 1 days old, of some 20 kB each."""
    folder = tmp_path_factory.mktemp("blocks")
    now = int(time.time())
    lines = [
        f'old{{age="{age}",n="{n}"}} {n} {now - age * DAY}\n'
        for age in (40, 20, 10, 1)
        for n in range(300)
    ]
    (folder / "samples").write_text("# TYPE old gauge\n" + "".join(lines) + "# EOF\n")
    promtool = program("PROMTOOL", "promtool", UNPACKED)
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics"]
    subprocess.run([*command, folder / "samples", folder / "data"], check=True)
    assert len(ages(folder / "data")) == 4
    return folder / "data"


def ages(data: Path) -> list[int]:
    """Return how many days old the blocks in a data folder are."""
    found = [
        json.loads(path.read_text())["minTime"] / 1000
        for path in data.glob("*/meta.json")
    ]
    return sorted(round((time.time() - begins) / DAY) for begins in found)


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({}, [1, 10]),
        ({"PROMETHEUS_RETENTION": "30d"}, [1, 10, 20]),
        ({"PROMETHEUS_RETENTION": "5d"}, [1]),
        (
            {"PROMETHEUS_RETENTION": "90d", "PROMETHEUS_RETENTION_SIZE": "100KB"},
            [1, 10, 20],
        ),
    ],
)
def test_prometheus_deletes_old_blocks(
    blocks: Path, tmp_path: Path, values: dict[str, str], kept: list[int]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(blocks, data)
    (tmp_path / "none.yml").write_text("")
    port = free_ports(1)[0]
    given = [
        flag
        for flag in flags("compose.yaml", "prometheus", **values)
        if flag.startswith("--storage.tsdb.retention")
    ]
    assert len(given) == 2
    with running(
        f"http://127.0.0.1:{port}/-/ready",
        program("PROMETHEUS", "prometheus", UNPACKED),
        f"--config.file={tmp_path / 'none.yml'}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        *given,
    ):
        wait_until(lambda: ages(data) == kept, f"{ages(data)} days are {kept}")
        query = urllib.parse.urlencode(
            {"query": "count by (age) (last_over_time(old[50d]))"}
        )
        answer = get_json(f"http://127.0.0.1:{port}/api/v1/query?{query}")
    found = sorted(int(row["metric"]["age"]) for row in answer["data"]["result"])
    assert found == kept


def push(url: str, labels: dict[str, str], lines: list[tuple[int, str]]) -> None:
    values = [[str(ns), text] for ns, text in lines]
    body = json.dumps({"streams": [{"stream": labels, "values": values}]}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers)
    try:
        urllib.request.urlopen(request, timeout=60).close()
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read()) from error


def has(base: str, age: int) -> bool:
    """Whether there is a line of the stream that is *age* seconds old."""
    start = time.time_ns() - age * 10**9
    query = urllib.parse.urlencode(
        {
            "query": f'{{age="{age}"}}',
            "start": start - HOUR * 10**9,
            "end": start + HOUR * 10**9,
            "limit": 1,
        }
    )
    answer = get_json(f"{base}/loki/api/v1/query_range?{query}")
    return bool(answer["data"]["result"])


def test_the_store_keeps_as_long_as_loki_does() -> None:
    """Which of the two is at that address is nothing a person should notice."""
    config = yaml.safe_load((DEPLOY / "loki/loki.yaml").read_text())
    period = config["limits_config"]["retention_period"]
    assert f"--store.retention={period}" in flags("compose.offline.yaml", "loki")
    assert config["compactor"]["retention_enabled"] is True


def test_the_store_deletes_and_gives_the_disk_back(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    base, database = f"http://127.0.0.1:{port}", tmp_path / "store.db"
    command = [
        sys.executable, "-m", "shipper.store",
        f"--storage.path={database}", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip

    def used() -> int:
        return sum(path.stat().st_size for path in tmp_path.glob("store.db*"))

    with running(f"{base}/ready", *command):
        for age in (5 * DAY, HOUR):
            start = time.time_ns() - age * 10**9
            for first in range(0, 5 * BATCH, BATCH):
                lines = [
                    (start + n, f"{n} {'x' * 200}") for n in range(first, first + BATCH)
                ]
                push(f"{base}/loki/api/v1/push", {"age": str(age)}, lines)
        assert has(base, 5 * DAY)
    before = used()
    with running(f"{base}/ready", *command, "--store.retention=24h"):
        wait_until(lambda: not has(base, 5 * DAY), "the old lines are gone")
        assert has(base, HOUR)
    assert used() < before * 0.7


@pytest.fixture
def loki() -> str:
    if found := os.environ.get("LOKI"):
        return found
    pytest.skip("LOKI= names no Loki")


@pytest.mark.oracle
def test_loki_takes_its_file(loki: str) -> None:
    file = DEPLOY / "loki/loki.yaml"
    command = [loki, f"-config.file={file}", "-verify-config"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def hurried(folder: Path, http: int, grpc: int) -> dict[str, Any]:
    """Return the stack's configuration, in *folder*, with shorter waits."""
    text = (DEPLOY / "loki/loki.yaml").read_text().replace("/loki", str(folder))
    config: dict[str, Any] = yaml.safe_load(text)
    config["server"] |= {
        "http_listen_address": "127.0.0.1",
        "http_listen_port": http,
        "grpc_listen_address": "127.0.0.1",
        "grpc_listen_port": grpc,
    }
    config["limits_config"]["reject_old_samples"] = False
    config["ingester"] = {
        "chunk_idle_period": "1s",
        "flush_check_period": "1s",
        "lifecycler": {"min_ready_duration": "0s"},
    }
    config["compactor"] |= {
        "compaction_interval": "2s",
        "apply_retention_interval": "2s",
        "retention_delete_delay": "1s",
    }
    return config


@pytest.mark.oracle
@pytest.mark.timeout(300)
def test_loki_deletes_chunks(loki: str, tmp_path: Path) -> None:
    http, grpc = free_ports(2)
    base = f"http://127.0.0.1:{http}"
    (tmp_path / "loki.yaml").write_text(yaml.safe_dump(hurried(tmp_path, http, grpc)))

    def chunks() -> int:
        return sum(path.is_file() for path in (tmp_path / "chunks/fake").rglob("*"))

    command = (loki, f"-config.file={tmp_path / 'loki.yaml'}")
    with running(f"{base}/ready", *command):
        for age in (20 * DAY, 10 * DAY):  # 360 hours are 15 days
            start = time.time_ns() - age * 10**9
            lines = [(start + n, f"line {n}") for n in range(100)]
            push(f"{base}/loki/api/v1/push", {"age": str(age)}, lines)
        wait_until(lambda: chunks() == 2, "both are on the disk")
        assert has(base, 20 * DAY)
    # The index is on the disk when it stops, else only after a quarter of an hour.
    with running(f"{base}/ready", *command):
        # From the disk; what it had in memory it answers from for some minutes more.
        wait_until(lambda: chunks() == 1, "the old chunk is gone", 180)
        assert has(base, 10 * DAY)
