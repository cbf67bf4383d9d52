"""A whole scrape with every collector on: OpenMetrics has the series of the text."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from .messages import read_delimited
from .test_negotiation import PROMETHEUS_3, PROTOBUF


ROOT = Path(__file__).parents[2]
COLLECTOR = re.compile(r"--\[no-\]collector\.([a-z0-9_]+)\s", re.ASCII)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    command = [sys.executable, "-m", "exporters.node"]
    said = subprocess.run(
        [*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = COLLECTOR.findall(said.stdout)
    assert len(names) > 10
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    switches = [f"--collector.{name}" for name in names]
    process = subprocess.Popen(
        [
            *command,
            f"--web.listen-address=127.0.0.1:{number}",
            "--web.enable-openmetrics",
            "--log.level=error",
            *switches,
        ],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", number), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield number
    process.kill()
    process.wait()


def scrape(port: int, accept: str) -> tuple[str, bytes]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.headers["Content-Type"], response.read()


def series(text: str) -> set[str]:
    """Return name and labels of each line, without what comes and goes."""
    return {
        line.rpartition(" ")[0]
        for line in text.splitlines()
        if not line.startswith("#") and "_handler_requests_total{" not in line
    }


def test_prometheus_sees_the_same_series(port: int) -> None:
    kind, body = scrape(port, PROMETHEUS_3)
    assert kind == (
        "application/openmetrics-text; version=1.0.0; charset=utf-8;"
        " escaping=allow-utf-8"
    )
    text = body.decode()
    plain = scrape(port, "text/plain")[1].decode()
    assert text.endswith("\n# EOF\n")
    both = series(text), series(plain)
    # A process, a device or a thread more or less is no fault of the format.
    assert len(both[0] ^ both[1]) <= 0.02 * len(both[1])
    names = [{line.partition("{")[0] for line in lines} for lines in both]
    assert names[0] == names[1]


def test_the_reference_parser_reads_all_of_it(port: int) -> None:
    parse: Any = text_string_to_metric_families
    text = scrape(port, "application/openmetrics-text;version=1.0.0")[1].decode()
    families = list(parse(text))
    assert sum(len(family.samples) for family in families) == len(
        [line for line in text.splitlines() if not line.startswith("#")]
    )
    kinds = {family.name: family.type for family in families}
    assert kinds["node_scrape_collector_success"] == "gauge"
    assert kinds["promhttp_metric_handler_requests"] == "counter"
    assert kinds["node_netstat_Tcp_InSegs"] == "unknown"


def test_googles_library_reads_all_of_the_protobuf(port: int) -> None:
    data = scrape(port, f"{PROTOBUF}delimited")[1]
    families = {family.name: family for family in read_delimited(data)}
    plain = scrape(port, "text/plain")[1].decode()
    announced = set(re.findall(r"^# TYPE (\S+)", plain, re.MULTILINE))
    assert families.keys() == announced
