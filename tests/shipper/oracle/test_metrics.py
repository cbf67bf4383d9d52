"""What /metrics shows: promtail's families, with their types, texts and labels.

Both read one container and one file for a moment, with stages that count; then both are
asked for some pages and scraped. Numbers differ, names must not.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.shipper.docker.real import RealDocker, own_daemon

from .conftest import Recorder, ours, promtail, recorder, settled


pytestmark = [pytest.mark.docker, pytest.mark.oracle]

# Families of promtail that are not here, by how their names begin, and why.
ABSENT = {
    "deprecated_flags_inuse": "no flag is deprecated here",
    "go_": "there is no Go runtime",
    "jaeger_": "there is no tracing",
    "loki_": "Loki's own, of libraries that promtail carries along",
    "net_conntrack_": "of Prometheus' HTTP client",
    "prometheus_": "Prometheus' own, of libraries that promtail carries along",
}
# What the two count alike; bytes on the wire and moments are each one's own.
COUNTED = frozenset(
    {
        "logentry_dropped_lines_total",
        "my_sizes_bucket",
        "my_sizes_count",
        "my_sizes_sum",
        "promtail_batch_retries_total",
        "promtail_config_reload_fail_total",
        "promtail_config_reload_success_total",
        "promtail_custom_lines",
        "promtail_custom_size",
        "promtail_docker_target_entries_total",
        "promtail_docker_target_parsing_errors_total",
        "promtail_dropped_bytes_total",
        "promtail_dropped_entries_total",
        "promtail_file_bytes_total",
        "promtail_files_active_total",
        "promtail_mutated_bytes_total",
        "promtail_mutated_entries_total",
        "promtail_read_bytes_total",
        "promtail_read_lines_total",
        "promtail_sent_entries_total",
        "promtail_targets_active_total",
        "promtail_targets_failed_total",
        "tcp_connections_limit",
    }
)
Series = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Family:
    """What is said of one family, and its series with what they have counted."""

    kind: str
    text: str
    series: Mapping[Series, float]


def config(loki: Recorder, folder: Path, mark: str, port: int) -> str:
    return f"""
server: {{http_listen_address: 127.0.0.1, http_listen_port: {port},
  grpc_listen_address: 127.0.0.1, grpc_listen_port: 0}}
positions: {{filename: {folder}/positions.yaml}}
clients: [{{url: "{loki.url}", batchwait: 100ms}}]
scrape_configs:
- job_name: containers
  docker_sd_configs:
  - host: unix:///var/run/docker.sock
    refresh_interval: 1s
    filters: [{{name: label, values: [shipper-test={mark}]}}]
  relabel_configs: [{{target_label: job, replacement: docker}}]
- job_name: files
  static_configs: [{{labels: {{job: files, __path__: {folder.parent}/*.log}}}}]
  pipeline_stages:
  - regex: {{expression: '(?P<size>\\d+)'}}
  - metrics:
      lines:
        type: Counter
        description: lines
        config: {{match_all: true, action: inc}}
      size: {{type: Gauge, description: the size, config: {{action: set}}}}
      sizes: {{type: Histogram, source: size, prefix: my_, config: {{buckets: [1, 3]}}}}
  - drop: {{expression: unwanted}}
"""


def families(text: str) -> dict[str, Family]:
    return {
        metric.name: Family(metric.type, metric.documentation, dict(_series(metric)))
        for metric in text_string_to_metric_families(text)
    }


def _series(metric: Metric) -> Iterator[tuple[Series, float]]:
    for name, found, value, *_ in metric.samples:
        labels = dict(found)
        if "host" in labels:
            labels["host"] = "of Loki"  # each has its own
        if metric.name != "promtail_build_info":
            yield (name, tuple(sorted(labels.items()))), value


def _port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        found: int = listener.getsockname()[1]
        return found


async def _scrape(port: int) -> dict[str, Family]:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        text = ""
        for page in ("/ready", "/targets", "/nope", "/metrics", "/metrics"):
            async with session.get(page) as response:
                text = await response.text()
    return families(text)


@pytest.fixture
def docker() -> Iterator[RealDocker]:
    with own_daemon() as found:
        yield found


async def _run(
    docker: RealDocker, folder: Path
) -> tuple[dict[str, Family], dict[str, Family]]:
    """Return what ours shows, and what promtail does."""
    (folder / "app.log").write_bytes(b"took 3 s\nunwanted\ntook 4 s\n")
    for name in ("ours", "theirs"):
        (folder / name).mkdir()
    await docker.run(script="echo one; echo two >&2; sleep 600", network="host")
    mine, other = _port(), _port()
    async with recorder() as a, recorder() as b:
        text = config(b, folder / "theirs", docker.mark, other)
        async with (
            promtail(text, folder / "theirs"),
            ours(config(a, folder / "ours", docker.mark, mine)),
        ):
            async with asyncio.timeout(60):
                while min(len(a.entries), len(b.entries)) < 4:  # noqa: ASYNC110  # two programs
                    await asyncio.sleep(0.1)
            await settled(a, b)
            return await _scrape(mine), await _scrape(other)


async def test_every_family_of_promtail_is_here(
    docker: RealDocker, tmp_path: Path
) -> None:
    mine, theirs = await _run(docker, tmp_path)
    wanted = {n: f for n, f in theirs.items() if not n.startswith(tuple(ABSENT))}
    assert wanted.keys() <= mine.keys()
    for name, family in wanted.items():
        assert (mine[name].kind, mine[name].text) == (family.kind, family.text)
        assert mine[name].series.keys() == family.series.keys()
        for series in family.series:
            if series[0] in COUNTED:
                assert mine[name].series[series] == family.series[series], series
    print(f"{len(wanted)} families equal, {len(theirs) - len(wanted)} not wanted")
