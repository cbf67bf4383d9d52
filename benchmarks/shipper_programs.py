"""The shippers to compare, their configuration, and where they ship to."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks import programs
from benchmarks.process import Running, started
from benchmarks.scrape import Connection, first_answer, free_port
from benchmarks.shipper_containers import SOCKET, Docker
from benchmarks.shipper_sink import Received


COUNTER: Final = "promtail_sent_entries_total{"
PIPELINE: Final[tuple[Mapping[str, Any], ...]] = (
    {"json": {"expressions": {"level": "level", "time": "time", "app": "app"}}},
    {"labels": {"level": "", "app": ""}},
    {
        "match": {
            "selector": '{app="web"} |= "error"',
            "stages": [{"static_labels": {"failed": "yes"}}],
        }
    },
    {"timestamp": {"source": "time", "format": "RFC3339Nano"}},
)

LOKI_CONFIG: Final = """
auth_enabled: false
server:
  http_listen_address: 127.0.0.1
  http_listen_port: {port}
  grpc_listen_port: 0
common:
  instance_addr: 127.0.0.1
  path_prefix: {folder}
  replication_factor: 1
  storage: {{filesystem: {{chunks_directory: {folder}/c, rules_directory: {folder}/r}}}}
  ring: {{kvstore: {{store: inmemory}}}}
schema_config:
  configs:
    - from: 2024-01-01
      store: tsdb
      object_store: filesystem
      schema: v13
      index: {{prefix: index_, period: 24h}}
limits_config:
  ingestion_rate_mb: 10000
  ingestion_burst_size_mb: 10000
  per_stream_rate_limit: 10GB
  per_stream_rate_limit_burst: 10GB
  reject_old_samples: false
  max_global_streams_per_user: 0
analytics: {{reporting_enabled: false}}
"""


class Shipper(NamedTuple):
    """A program that reads promtail's configuration."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]


class Receiver(NamedTuple):
    """Where to ship to; *taken* says what came since it was last asked, if it can."""

    name: str
    url: str
    pid: int
    taken: Callable[[], Received] | None


class Scene(NamedTuple):
    """What all shippers of a run have in common; *folder* is for their files."""

    folder: Path
    receiver: Receiver
    docker: Docker


class Started(NamedTuple):
    """A shipper at work."""

    running: Running
    port: int
    began: float

    def sent(self) -> int:
        """Return how many lines Loki has taken, by the program's own counter."""
        try:
            with Connection(self.port) as connection:
                page = connection.scrape("identity")[0].body.decode()
        except OSError:
            self.running.check()
            return 0
        lines = [line for line in page.splitlines() if line.startswith(COUNTER)]
        return int(sum(float(line.rpartition(" ")[2]) for line in lines))


def shippers() -> list[Shipper]:
    """Return ours, and promtail where $PROMTAIL names it."""
    ours = (programs.interpreter().path, "-m", "shipper")
    found = [Shipper("ours", ours, programs.python_path())]
    if os.environ.get("PROMTAIL"):
        theirs = programs.original("PROMTAIL")
        found.append(Shipper("promtail", (theirs,), programs.environment()))
    return found


@contextmanager
def shipping(
    shipper: Shipper, scene: Scene, group: str, *, stages: bool = False
) -> Iterator[Started]:
    """Run *shipper* for the containers of *group*, from no positions on."""
    port, place = free_port(), scene.folder / f"{shipper.name}-{time.monotonic_ns()}"
    place.mkdir()
    label = f"{scene.docker.mark}={group}"
    config = configuration(place, port, scene.receiver.url, label)
    if stages:
        config["scrape_configs"][0]["pipeline_stages"] = list(PIPELINE)
    file = place / "promtail.yaml"
    file.write_text(json.dumps(config))  # which YAML can read
    began = time.monotonic()
    words = (*shipper.command, f"-config.file={file}")
    with started(words, shipper.environ, place) as running:
        yield Started(running, port, began)


def configuration(folder: Path, port: int, url: str, label: str) -> dict[str, Any]:
    """Return a promtail.yaml that reads the containers with *label*."""
    rule = {
        "source_labels": ["__meta_docker_container_name"],
        "regex": "/(.*)",
        "target_label": "container_name",
    }
    daemon = {
        "host": f"unix://{SOCKET}",
        "refresh_interval": "5s",
        "filters": [{"name": "label", "values": [label]}],
    }
    return {
        "server": {
            "http_listen_address": "127.0.0.1",
            "http_listen_port": port,
            "grpc_listen_port": 0,
            "log_level": "warn",
        },
        "positions": {"filename": str(folder / "positions.yaml")},
        "clients": [{"url": f"{url}/loki/api/v1/push"}],
        "scrape_configs": [
            {
                "job_name": "docker",
                "docker_sd_configs": [daemon],
                "relabel_configs": [rule],
            }
        ],
    }


def receiver_name() -> str:
    """Return what the shippers ship to."""
    return "Loki" if os.environ.get("LOKI") else "a sink that stores nothing"


@contextmanager
def receiving(folder: Path) -> Iterator[Receiver]:
    """Run Loki where $LOKI names one, else a sink that stores nothing."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    if os.environ.get("LOKI"):
        loki = programs.original("LOKI")
        (folder / "loki.yaml").write_text(
            LOKI_CONFIG.format(port=port, folder=folder / "loki")
        )
        words = [loki, f"-config.file={folder / 'loki.yaml'}"]
        with started(words, programs.environment(), folder) as running:
            first_answer(running, port, "/metrics")
            _until_ready(running, f"{url}/ready")
            yield Receiver(receiver_name(), url, running.pid, None)
        return
    words = [sys.executable, "-m", "benchmarks.shipper_sink", str(port)]
    with started(words, programs.python_path(), folder) as running:
        while not _answers(f"{url}/count"):
            running.check()
            time.sleep(0.05)

        def taken() -> Received:
            with urllib.request.urlopen(f"{url}/count", timeout=60) as answer:
                return Received(*json.load(answer))

        yield Receiver(receiver_name(), url, running.pid, taken)


def _until_ready(running: Running, url: str) -> None:
    deadline = time.monotonic() + 60
    while not _answers(url) and time.monotonic() < deadline:
        running.check()
        time.sleep(0.5)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
