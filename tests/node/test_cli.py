"""The whole program: flags, start, answers over HTTP, a hung collector, the stop."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from exporters.node import cli
from exporters.node.registry import discover
from exporters.toolkit.errors import StartError


ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 30

# Started instead of the program itself: one more collector hangs, one raises.
WITH_FAULTS = """
import sys, threading
from exporters.node import cli, registry

found = registry.discover()
def hang():
    threading.Event().wait()
def fail():
    raise RuntimeError("injected")
    yield
faults = (
    registry.CollectorSpec("hang", lambda context: hang),
    registry.CollectorSpec("fail", lambda context: fail),
)
cli.specs_for = lambda _: (*found, *faults)
sys.exit(cli.main())
"""


@dataclass(slots=True)
class Node:
    """A running node exporter."""

    process: subprocess.Popen[bytes]
    url: str
    log: str

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, headers=names)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self) -> tuple[int, float, str]:
        """Return the exit code, the seconds it took, and what was logged since."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=DEADLINE_SECONDS)
        return self.process.returncode, time.monotonic() - began, rest.decode()


@contextmanager
def started(*command: str) -> Iterator[Node]:
    argv = [sys.executable, *command, "--web.listen-address=127.0.0.1:0"]
    process = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE)
    assert process.stderr is not None
    log = b""
    deadline = time.monotonic() + DEADLINE_SECONDS
    try:
        while (found := re.search(rb"Listening on\" address=(\S+)", log)) is None:
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([process.stderr], [], [], left)
            chunk = os.read(process.stderr.fileno(), 65_536) if ready else b""
            assert chunk, log.decode()
            log += chunk
        yield Node(process, f"http://{found[1].decode()}", log.decode())
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with started("-m", "exporters.node") as running:
        yield running


def test_the_start_is_logged_as_upstream_does(node: Node) -> None:
    messages = re.findall(r"msg=(\"[^\"]*\"|\S+)", node.log)
    names = [spec.name for spec in discover() if spec.default_enabled]
    assert messages[:2] == ['"Starting node_exporter"', '"Build context"']
    start = messages.index('"Enabled collectors"') + 1
    assert messages[start : start + len(names)] == names
    assert messages[start + len(names)] == '"Listening on"'


def test_metrics(node: Node) -> None:
    status, body = node.get("/metrics")
    assert status == 200
    samples = dict(
        line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#")
    )
    for name in ("loadavg", "meminfo", "netstat", "stat", "time", "timex", "uname"):
        assert samples[f'node_scrape_collector_success{{collector="{name}"}}'] == "1"
        assert (
            f'node_scrape_collector_duration_seconds{{collector="{name}"}}' in samples
        )
    assert (
        "# HELP node_scrape_collector_success node_exporter: Whether a collector"
        " succeeded.\n# TYPE node_scrape_collector_success gauge\n"
    ) in body
    assert (
        "# HELP node_scrape_collector_duration_seconds node_exporter: Duration of a"
        " collector scrape.\n# TYPE node_scrape_collector_duration_seconds gauge\n"
    ) in body
    assert "# TYPE node_vmstat_pgpgin untyped\n" in body
    assert "# TYPE node_intr_total counter\n" in body


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/-/healthy", 200, "Node Exporter is Healthy."),
        ("/-/ready", 200, "Node Exporter is Ready."),
        ("/", 200, "Prometheus Node Exporter"),
        ("/metrics?collect[]=bogus", 400, "missing collector: bogus"),
        (
            "/metrics?collect[]=time&exclude[]=time",
            400,
            "Combined collect and exclude queries are not allowed.",
        ),
        ("/nothing", 404, "404 page not found"),
    ],
)
def test_answers(path: str, status: int, text: str, node: Node) -> None:
    answer = node.get(path)
    assert answer[0] == status
    assert text in answer[1]


def test_collect_and_exclude(node: Node) -> None:
    _, only = node.get("/metrics?collect[]=loadavg&collect[]=time")
    collectors = re.findall(r'_success\{collector="(\w+)"\}', only)
    assert collectors == ["loadavg", "time"]
    assert "node_exporter_build_info{" in only
    _, without = node.get("/metrics?exclude[]=loadavg")
    assert "node_load1 " not in without
    assert "node_time_seconds " in without


def test_faults_cost_only_themselves_and_the_stop_is_in_time() -> None:
    with started("-c", WITH_FAULTS) as node:
        status, body = node.get("/metrics", X_Prometheus_Scrape_Timeout_Seconds="1")
        assert status == 200
        assert 'node_scrape_collector_success{collector="hang"} 0' in body
        assert 'node_scrape_collector_success{collector="fail"} 0' in body
        assert 'node_scrape_collector_success{collector="loadavg"} 1' in body
        assert "node_load1 " in body
        began = time.monotonic()
        assert "node_load1 " in node.get("/metrics")[1]
        assert time.monotonic() - began < 5  # it does not wait for the hung one again
        code, seconds, log = node.stop()
    assert code == 0
    assert seconds < 10
    assert log.count("did not finish in time") == 1
    assert log.count('msg="collector failed" name=fail') == 2
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--bogus"], "node_exporter: error: unknown long flag '--bogus', try --help"),
        (
            ["--collector.loadavg=false"],
            "node_exporter: error: unexpected false, try --help",
        ),
        (["--path.procfs=/nowhere"], "--path.procfs: expected a directory"),
        (["--collector.netstat.fields=("], "missing closing"),
    ],
)
def test_a_bad_start_is_one_line_and_exit_code_1(argv: list[str], text: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "exporters.node", "--log.level=error", *argv],
        cwd=ROOT,
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert result.returncode == 1
    (line,) = result.stderr.decode().splitlines()
    assert text in line


def test_a_busy_port_is_one_line_and_exit_code_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = subprocess.run(
            [
                sys.executable,
                "-m",
                "exporters.node",
                "--log.level=error",
                f"--web.listen-address={address}",
            ],
            cwd=ROOT,
            capture_output=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
    assert result.returncode == 1
    (line,) = result.stderr.decode().splitlines()
    assert f"listen tcp {address}: bind: address already in use" in line


def test_every_global_flag_of_upstream_is_there() -> None:
    names = {flag.name for flag in cli.program(discover()).flags}
    assert {
        "web.telemetry-path",
        "web.disable-exporter-metrics",
        "web.max-requests",
        "web.listen-address",
        "collector.disable-defaults",
        "runtime.gomaxprocs",
        "path.procfs",
        "path.sysfs",
        "path.rootfs",
        "path.udev.data",
        "log.level",
        "log.format",
    } <= names


def test_paths_that_are_not_there_are_named() -> None:
    values = cli.program(()).parse(["--path.sysfs=/nowhere"], {})
    with pytest.raises(StartError, match=r"path\.sysfs"):
        cli.paths_of(values)
