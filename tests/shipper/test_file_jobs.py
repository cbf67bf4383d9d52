"""Files and containers of one job, from the config to Loki and back to positions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from exporters.toolkit.decode import DecodeError, decode
from shipper.app import App
from shipper.config.model import Config
from shipper.file_metrics import FileMeters
from shipper.metrics import ShipperMetrics

from .docker.conftest import FakeDocker, listed, log_frame
from .test_app import Loki, follow


JOB = """
server: {{disable: true}}
positions: {{filename: {root}/positions.yaml}}
clients: [{{url: "{url}", batchwait: 10ms}}]
target_config: {{sync_period: 50ms}}
scrape_configs:
  - job_name: both
    docker_sd_configs: [{{host: "unix://{root}/docker.sock"}}]
    static_configs:
      - targets: [localhost]
        labels: {{job: files, __path__: "{root}/**/*.log"}}
    relabel_configs:
      - {{target_label: rule, replacement: applied}}
"""


async def test_files_and_containers_in_one_job(tmp_path: Path) -> None:
    log = tmp_path / "sub" / "a.log"
    log.parent.mkdir()
    log.write_bytes(b"one\ntwo\n")
    daemon = FakeDocker(str(tmp_path / "docker.sock"), [listed()])
    daemon.running.add(listed()["Id"])
    daemon.logs.append(follow(log_frame(1, 0, b"from docker")))
    await daemon.start()
    loki = Loki()
    app = web.Application()
    app.router.add_post("/push", loki.push)
    async with TestServer(app) as server, asyncio.timeout(30):
        text = JOB.format(root=tmp_path, url=server.make_url("/push"))
        stop = asyncio.Event()
        running = asyncio.create_task(
            App(decode(text.encode(), Config, "c.yaml")).serve(stop)
        )
        await loki.wait_for(3)
        stop.set()
        await running
    await daemon.stop()
    got = {labels: [e.line for e in sent] for labels, sent in loki.streams.items()}
    assert got == {
        f'{{filename="{log}", job="files", rule="applied"}}': [b"one", b"two"],
        '{rule="applied"}': [b"from docker"],
    }
    positions = yaml.safe_load((tmp_path / "positions.yaml").read_bytes())["positions"]
    assert positions[str(log)] == "8"


@pytest.mark.parametrize(
    ("labels", "rules", "error"),
    [
        ("{a: b}", "[]", ""),
        ('{__path__: "/a["}', "[]", "a '[' without its ']'"),
        ('{a-b: c, __path__: "/a"}', "[]", '"a-b" is not a valid label name'),
        ("{a: b}", "[{target_label: __path__, replacement: /x}]", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    labels: str, rules: str, error: str
) -> None:
    text = f"""clients: [{{url: "http://loki/"}}]
scrape_configs:
  - job_name: x
    static_configs:
      - labels: {labels}
    relabel_configs: {rules}
"""
    if not error:
        assert decode(text.encode(), Config, "c.yaml").scrape_configs
        return
    with pytest.raises(DecodeError) as caught:
        decode(text.encode(), Config, "c.yaml")
    (message,) = caught.value.errors
    assert message.startswith("c.yaml:5:")
    assert error in message


def test_metrics_are_promtails() -> None:
    metrics = ShipperMetrics()
    meters = FileMeters(metrics)
    meters.files_active(2)
    meters.files_active(-1)
    meters.read_bytes("/a\udcff", 3)
    meters.file_bytes("/b", 4)
    meters.read_lines("/b", 5)
    meters.targets_failed("no_path")

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"promtail_{name}_total", labels)

    assert value("files_active") == 1
    assert value("read_bytes", path="/a\ufffd") == 3
    assert value("file_bytes", path="/b") == 4
    assert value("read_lines", path="/b") == 5
    assert value("targets_failed", reason="no_path") == 1
    meters.forget("/b")
    assert value("read_lines", path="/b") is None
