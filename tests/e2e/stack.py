"""One stack of its own, beside whatever else runs on this host."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from deploy.stack import engine


ROOT = Path(__file__).resolve().parents[2]
PREFIX = "e2e-"
PROJECT = "monitoring-e2e"
PORTS = (
    "NGINX_PORT",
    "PHPMYADMIN_PORT",
    "PROMETHEUS_PORT",
    "LOKI_PORT",
    "GRAFANA_PORT",
    "ALERTMANAGER_PORT",
    "HTTPS_PORT",
)
PAGE = 5000  # the most that Loki gives at once
DAY_NS = 24 * 3600 * 10**9


@dataclass(frozen=True)
class Stack:
    """A stack that `deploy.stack` starts and stops."""

    folder: Path
    ports: dict[str, int]

    @classmethod
    def prepare(cls, folder: Path) -> Stack:
        """Write settings that no other stack of this host uses."""
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        lines = [f"{name}={port}" for name, port in ports.items()]
        lines += [f"COMPOSE_PROJECT_NAME={PROJECT}", f"NAME_PREFIX={PREFIX}"]
        lines += [
            "COMPOSE_PROFILES=tools,alerts",
            f"PROMETHEUS_CONFIG={faster(folder)}",
        ]
        (folder / ".env").write_text("\n".join(lines) + "\n")
        return cls(folder, ports)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command of `deploy.stack` as the Makefile does."""
        return subprocess.run(
            [
                sys.executable, "-m", "deploy.stack",
                f"--env-file={self.folder / '.env'}",
                f"--state={self.folder / 'state'}",
                *arguments,
            ],
            cwd=ROOT,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

    def url(self, port: str, path: str = "/") -> str:
        """Return an address of the stack on the loopback."""
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def prometheus(self, query: str) -> list[dict[str, Any]]:
        """Return the result of an instant *query*."""
        parameters = urllib.parse.urlencode({"query": query})
        answer = get_json(self.url("PROMETHEUS_PORT", f"/api/v1/query?{parameters}"))
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def number(self, query: str) -> float:
        """Return the value of *query*, 0 where there is none."""
        rows = self.prometheus(query)
        return float(rows[0]["value"][1]) if rows else 0.0

    def stored(self, container: str) -> list[tuple[str, int, str]]:
        """Return every (stream, time in ns, line) that the store has of *container*."""
        found: list[tuple[str, int, str]] = []
        start = time.time_ns() - DAY_NS
        while page := self.page(container, start):
            # The last nanosecond may go on in the next page: ask for it again whole.
            newest = page[-1][1]
            more = len(page) >= PAGE
            found += [row for row in page if not more or row[1] < newest]
            if not more:
                break
            start = newest
        return found

    def page(self, container: str, start_ns: int) -> list[tuple[str, int, str]]:
        """Return up to PAGE rows of *container* from *start_ns* on, oldest first."""
        parameters = urllib.parse.urlencode(
            {
                "query": f'{{container_name="{container}"}}',
                "start": start_ns,
                "end": time.time_ns() + 60 * 10**9,
                "direction": "forward",
                "limit": PAGE,
            }
        )
        path = f"/loki/api/v1/query_range?{parameters}"
        streams = get_json(self.url("LOKI_PORT", path))["data"]["result"]
        rows = [
            (stream["stream"]["stream"], int(ts), line)
            for stream in streams
            for ts, line in stream["values"]
        ]
        return sorted(rows, key=lambda row: row[1])


def faster(folder: Path) -> Path:
    """Write Prometheus' configuration with shorter intervals; return where."""
    text = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
    for name in ("scrape_interval", "scrape_timeout", "evaluation_interval"):
        text = re.sub(rf"  {name}: \S+", f"  {name}: 3s", text)
    path = folder / "prometheus.yml"
    path.write_text(text)
    return path


def free_ports(count: int) -> list[int]:
    """Return *count* ports of the loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def get_json(url: str) -> dict[str, Any]:
    """Return what *url* answers as JSON."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        value: dict[str, Any] = json.load(answer)
        return value


def fetch(url: str, data: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Return status, content type and text of *url*, posted to with *data*."""
    body = urllib.parse.urlencode(data).encode() if data else None
    with urllib.request.urlopen(url, body, timeout=30) as answer:
        text = answer.read().decode(errors="replace")
        return answer.status, answer.headers["Content-Type"], text


def shown(url: str) -> str:
    """Return what a visitor of *url* sees, though it be that nothing is there."""
    try:
        return fetch(url)[2]
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise
        with error:
            return error.read().decode()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Ask *condition* again and again until it holds; fail after *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            message = f"after {seconds:.0f} s still not: {what}"
            raise AssertionError(message)
        time.sleep(0.25)


@contextmanager
def meanwhile(*works: Callable[[], object]) -> Iterator[None]:
    """Do each of *works* over and over, all at a time; fail afterwards if one did."""
    stop = threading.Event()
    failed: list[Exception] = []

    def repeat(work: Callable[[], object]) -> None:
        while not stop.is_set():
            try:
                work()
            except (AssertionError, OSError, ValueError) as error:
                failed.append(error)

    with ThreadPoolExecutor(len(works)) as pool:
        repeated = [pool.submit(repeat, work) for work in works]
        try:
            yield
        finally:
            stop.set()
    for one in repeated:
        one.result()
    assert not failed


def need_engine() -> None:
    """Skip the test where no Docker Engine can be had."""
    try:
        engine.ensure()
    except engine.NoEngineError as error:
        pytest.skip(f"no Docker Engine to be had: {error}")


def docker(*arguments: str) -> str:
    """Run one docker command and return its standard output."""
    return subprocess.run(
        ["docker", *arguments], check=True, text=True, capture_output=True
    ).stdout


def wordpress_asks_itself() -> str:
    """Return the status that WordPress gets for what it does when an event is due."""
    script = """
        require 'wp-load.php';
        $answer = wp_remote_get(site_url('wp-cron.php'), ['sslverify' => false]);
        echo is_wp_error($answer)
            ? $answer->get_error_message()
            : wp_remote_retrieve_response_code($answer);
    """
    return docker("exec", f"{PREFIX}wordpress", "php", "-r", script)


def docker_logs(container: str) -> list[tuple[str, int, str]]:
    """Return every (stream, time in ns, line) that `docker logs` has of *container*."""
    done = subprocess.run(
        ["docker", "logs", "--timestamps", container], check=True, capture_output=True
    )
    return [
        *parse_lines("stdout", done.stdout),
        *parse_lines("stderr", done.stderr),
    ]


def parse_lines(stream: str, data: bytes) -> Iterator[tuple[str, int, str]]:
    """Yield what `docker logs --timestamps` printed on one of its streams."""
    for row in data.removesuffix(b"\n").split(b"\n") if data else []:
        stamp, _, line = row.partition(b" ")
        yield stream, nanoseconds(stamp.decode()), line.decode(errors="replace")


def nanoseconds(stamp: str) -> int:
    """Return an RFC 3339 time of Docker (always UTC) in nanoseconds since 1970."""
    seconds, _, fraction = stamp.removesuffix("Z").partition(".")
    whole = int(
        time.mktime(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) - time.timezone
    )
    return whole * 10**9 + int(fraction.ljust(9, "0"))
