"""The whole shipper in this process, between a fake daemon and a fake Loki."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from exporters.toolkit.decode import decode
from exporters.toolkit.errors import StartError
from shipper.app import UNCHANGED, App
from shipper.config.load import Loaded
from shipper.config.model import Config
from shipper.pipeline.entry import Entry
from shipper.road import (
    DRAIN_SECONDS,
    FLUSH_SECONDS,
    INTAKE_SECONDS,
    POSITIONS_SECONDS,
    SPOOL_SECONDS,
    Modes,
)
from shipper.spool.settings import SpoolSettings

from .docker.conftest import (
    BASE_NS,
    HEADERS,
    Answer,
    FakeDocker,
    Writer,
    chunk,
    listed,
    log_frame,
)
from .loki.conftest import decode as decode_push


OUT, ERR = 1, 2


class Loki:
    """Stores what it is sent, unless told to answer otherwise."""

    def __init__(self) -> None:
        self.status = 204
        self.hang: asyncio.Event | None = None
        self.streams: dict[str, list[Entry]] = {}
        self.asked = asyncio.Event()
        self.changed = asyncio.Condition()

    async def push(self, request: web.Request) -> web.Response:
        labels, entries = decode_push(await request.read())
        self.asked.set()
        if self.hang is not None:
            await self.hang.wait()
            return web.Response(status=503)
        if self.status == 204:
            async with self.changed:
                self.streams.setdefault(labels, []).extend(entries)
                self.changed.notify_all()
        return web.Response(status=self.status)

    async def wait_for(self, count: int) -> None:
        def enough() -> bool:
            return sum(map(len, self.streams.values())) >= count

        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(enough)


def follow(*frames: bytes) -> Answer:
    """Answer with *frames* and keep the log open, as a running container does."""

    async def answer(writer: Writer, query: dict[str, str]) -> None:
        writer.write(HEADERS + b"".join(chunk(frame) for frame in frames))
        await writer.drain()
        await asyncio.Event().wait()

    return answer


def frames(count: int, first: int = 0) -> list[bytes]:
    return [
        log_frame(kind, 1000 * n + kind, b"%s %d" % (name, n))
        for n in range(first, first + count)
        for kind, name in ((OUT, b"out"), (ERR, b"err"))
    ]


def wanted(count: int) -> dict[str, list[Entry]]:
    return {
        f'{{container_name="web", stream="{stream}"}}': [
            Entry(BASE_NS + 1000 * n + kind, f"{stream[3:]} {n}".encode())
            for n in range(count)
        ]
        for kind, stream in ((OUT, "stdout"), (ERR, "stderr"))
    }


class Site:
    """Both sides, and a config that names them."""

    def __init__(self, docker: FakeDocker, loki: Loki, url: str, folder: Path) -> None:
        self.docker, self.loki, self.url, self.folder = docker, loki, url, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

    def config(self, port: int | None = None) -> Config:
        return decode(self.config_text(port).encode(), Config, "test.yaml")

    def config_text(self, port: int | None = None) -> str:
        return f"""
server: {{http_listen_address: 127.0.0.1, http_listen_port: {port or self.port}}}
positions: {{filename: {self.folder}/positions.yaml}}
clients: [{{url: "{self.url}", batchwait: 20ms}}]
scrape_configs:
  - job_name: docker
    docker_sd_configs: [{{host: "unix://{self.docker.path}", refresh_interval: 1h}}]
    relabel_configs:
      - source_labels: [__meta_docker_container_name]
        regex: /(.*)
        target_label: container_name
      - source_labels: [__meta_docker_container_log_stream]
        target_label: stream
"""

    @asynccontextmanager
    async def running(
        self, text: str = "", *, modes: Modes | None = None
    ) -> AsyncIterator[None]:
        """Run the shipper; leaving stops it in order."""
        text = text or self.config_text()
        stop = asyncio.Event()
        async with asyncio.timeout(30):
            config = decode(text.encode(), Config, "test.yaml")
            app = App(config, modes=modes)
            task = asyncio.create_task(app.serve(stop))
            try:
                yield
            finally:
                stop.set()
                await task

    async def get(self, path: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}{path}") as response,
        ):
            return response.status, await response.text()

    async def until(self, path: str, accept: Callable[[int, str], bool]) -> str:
        """Ask *path* until *accept* likes status and text; return the text."""
        async with asyncio.timeout(20):
            while True:
                try:
                    status, text = await self.get(path)
                except aiohttp.ClientConnectorError:  # not listening yet
                    await asyncio.sleep(0.01)
                    continue
                if accept(status, text):
                    return text
                await asyncio.sleep(0.01)

    def positions(self) -> str:
        return (self.folder / "positions.yaml").read_text()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    docker = FakeDocker(str(tmp_path / "d.sock"), [listed()])
    loki = Loki()
    app = web.Application()
    app.router.add_post("/loki/api/v1/push", loki.push)
    await docker.start()
    async with TestServer(app) as server:
        yield Site(docker, loki, str(server.make_url("/loki/api/v1/push")), tmp_path)
        if loki.hang is not None:
            loki.hang.set()
    await docker.stop()


async def test_lines_arrive_and_positions_move(site: Site) -> None:
    site.docker.logs = [follow(*frames(300))]
    async with site.running():
        await site.loki.wait_for(600)
        assert await site.until("/ready", lambda status, _: status == 200) == "Ready"
        sent = 'promtail_sent_entries_total{host="127.0.0.1'
        metrics = await site.until("/metrics", lambda _, text: sent in text)
        assert "\npromtail_docker_target_entries_total 600\n" in metrics
        _, text = await site.get("/targets?format=json")
        assert '"container_name": "web"' in text
    assert site.loki.streams == wanted(300)
    assert f"cursor-{'a' * 64}" in site.positions()


async def test_a_restart_reads_again_and_sends_nothing_twice(site: Site) -> None:
    site.docker.logs = [follow(*frames(20)), follow(*frames(30))]
    async with site.running():
        await site.loki.wait_for(40)
    async with site.running():
        await site.loki.wait_for(60)
    assert site.loki.streams == wanted(30)


async def test_what_loki_did_not_take_is_read_again(site: Site) -> None:
    site.docker.logs = [follow(*frames(20)), follow(*frames(20))]
    site.loki.status = 503
    async with site.running():
        await site.loki.asked.wait()
        text = await site.until("/ready", lambda status, _: status == 500)
        assert text.startswith("Not ready: ")
    assert not (site.folder / "positions.yaml").exists() or (
        f"docker:docker:{'a' * 64}:" not in site.positions()
    )
    site.loki.status = 204
    async with site.running():
        await site.loki.wait_for(40)
    assert site.loki.streams == wanted(20)


async def test_what_loki_did_not_take_survives_its_container(site: Site) -> None:
    site.docker.logs = [follow(*frames(20))]
    site.loki.status = 503
    async with site.running():
        await site.until(
            "/metrics", lambda _, text: "\nshipper_queue_entries 40" in text
        )
    assert sorted(site.folder.rglob("*.blocks"))
    site.docker.containers.clear()
    site.loki.status = 204
    async with site.running():
        await site.loki.wait_for(40)
        spool = "\nshipper_spool_bytes 0\n"
        await site.until("/metrics", lambda _, text: spool in text)
    assert site.loki.streams == wanted(20)
    assert not sorted(site.folder.rglob("*.blocks"))


async def test_without_a_spool_docker_is_the_only_one_who_keeps(site: Site) -> None:
    site.docker.logs = [follow(*frames(20)), follow(*frames(20))]
    site.loki.status = 503
    none = Modes(spool=SpoolSettings(limit_bytes=0))
    async with site.running(modes=none):
        await site.until(
            "/metrics", lambda _, text: "\nshipper_queue_entries 40" in text
        )
    assert not (site.folder / "positions.yaml.spool").exists()
    site.loki.status = 204
    async with site.running(modes=none):
        await site.loki.wait_for(40)
    assert site.loki.streams == wanted(20)


async def test_a_spool_that_cannot_be_is_one_plain_error(site: Site) -> None:
    (site.folder / "file").write_text("")
    modes = Modes(spool=SpoolSettings(str(site.folder / "file" / "spool")))
    with pytest.raises(
        StartError, match=r"^-spool.dir: .*/file/spool: cannot be writt"
    ):
        App(site.config(), modes=modes)


async def test_the_stop_is_in_time_with_a_loki_that_hangs(site: Site) -> None:
    site.docker.logs = [follow(*frames(20))]
    site.loki.hang = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with site.running():
        await site.loki.asked.wait()
        started = loop.time()
    at_most = INTAKE_SECONDS + FLUSH_SECONDS + DRAIN_SECONDS
    at_most += SPOOL_SECONDS + POSITIONS_SECONDS
    assert loop.time() - started < at_most < 9


async def test_not_ready_without_docker(site: Site) -> None:
    await site.docker.stop()
    async with site.running():
        text = await site.until("/ready", lambda _, text: "Docker" in text)
        assert text.startswith("Not ready: Docker cannot be reached: ")
        assert site.docker.path in text


async def test_a_dry_run_prints_and_keeps_nothing(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.docker.logs = [follow(*frames(2))]
    printed = ""
    async with site.running(modes=Modes(dry_run=True)):
        while printed.count("\t") < 8:
            await asyncio.sleep(0.01)
            printed += capsys.readouterr().out
    assert printed.startswith("Clients configured:\n")
    first = next(line for line in printed.splitlines() if "\t" in line).split("\t")
    labels = '{container_name="web", stream="stdout"}'
    assert first == ["2026-11-22T15:00:00.000000001+0000", labels, "out 0"]
    assert not site.loki.streams
    assert not (site.folder / "positions.yaml").exists()


async def test_a_port_that_is_taken_is_one_plain_error(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with pytest.raises(StartError, match="address already in use") as told:
            async with asyncio.timeout(20):
                await App(site.config(port)).serve(asyncio.Event())
    assert "\n" not in str(told.value)


async def test_the_rate_limit_stands_behind_all_stages(site: Site) -> None:
    site.docker.logs = [follow(*frames(20)), follow(*frames(20))]
    text = (
        site.config_text()
        + """
limits_config: {readline_rate_enabled: true, readline_rate: 0.001, readline_burst: 5}
"""
    )
    dropped = 'logentry_dropped_lines_total{reason="global_rate_limiter_drop"} 35\n'
    async with site.running(text):
        await site.loki.wait_for(5)
        await site.until("/metrics", lambda _, text: dropped in text)
    async with site.running(text):  # what was dropped is done, too
        again = "shipper_duplicates_suppressed_total 40\n"
        await site.until("/metrics", lambda _, text: again in text)
    assert sum(map(len, site.loki.streams.values())) == 5


async def test_what_a_stage_holds_back_is_shipped_at_the_stop(site: Site) -> None:
    site.docker.logs = [follow(*frames(3)), follow(*frames(3))]
    text = (
        site.config_text()
        + """\
    pipeline_stages:
      - multiline: {firstline: ' 0$', max_wait_time: 1h}
      - match: {selector: '{stream="stderr"}', action: drop}
"""
    )
    async with site.running(text):
        await site.until("/metrics", lambda _, text: "entries_total 6\n" in text)
    [entries] = site.loki.streams.values()
    assert [entry.line for entry in entries] == [b"out 0\nout 1\nout 2"]
    async with site.running(text):
        again = "shipper_duplicates_suppressed_total 6\n"
        await site.until("/metrics", lambda _, text: again in text)
    assert sum(map(len, site.loki.streams.values())) == 1, "all six lines were done"


# --- another configuration while running ---


@dataclass
class Reloading:
    """A shipper whose config file may change."""

    site: Site
    text: str
    app: App = field(init=False)
    task: asyncio.Task[None] = field(init=False)

    def load(self) -> Loaded:
        return Loaded(decode(self.text.encode(), Config, "new.yaml"), "new.yaml", ())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        self.app = App(self.load().config, self.load)
        async with asyncio.timeout(30):
            self.task = asyncio.create_task(self.app.serve(stop))
            try:
                yield
            finally:
                stop.set()
                await self.task


@pytest.fixture
def reloading(site: Site) -> Reloading:
    return Reloading(site, site.config_text())


async def test_a_reload_goes_on_where_the_old_road_ended(reloading: Reloading) -> None:
    site = reloading.site
    site.docker.logs = [follow(*frames(20)), follow(*frames(30))]
    async with reloading.running():
        await site.loki.wait_for(40)
        reloading.text += """\
    pipeline_stages:
      - static_labels: {env: prod}
"""
        assert await reloading.app.reload() is None
        await site.loki.wait_for(60)
        metrics = await site.until("/metrics", lambda status, _: status == 200)
    assert "promtail_config_reload_success_total 1\n" in metrics
    old, new = wanted(20), wanted(30)
    for labels, entries in new.items():
        name = labels.replace(", stream", ', env="prod", stream')
        assert site.loki.streams[labels] == old[labels]
        assert site.loki.streams[name] == entries[20:]


async def test_a_reload_loses_nothing_that_loki_did_not_take(
    reloading: Reloading,
) -> None:
    site = reloading.site
    site.docker.logs = [follow(*frames(20)), follow(*frames(20))]
    site.loki.status = 503
    async with reloading.running():
        await site.loki.asked.wait()
        reloading.text = reloading.text.replace("batchwait: 20ms", "batchwait: 10ms")
        assert await reloading.app.reload() is None
        site.loki.status = 204
        await site.loki.wait_for(40)
    assert site.loki.streams == wanted(20)


async def test_a_reload_keeps_what_no_source_can_give_again(
    reloading: Reloading,
) -> None:
    site = reloading.site
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    reloading.text += f"""\
  - job_name: syslog
    syslog: {{listen_address: "127.0.0.1:{port}", labels: {{job: syslog}}}}
    pipeline_stages: [{{static_labels: {{a: b}}}}]
"""
    site.loki.status = 503
    async with reloading.running():
        await site.until("/ready", lambda _, text: "starting" not in text)
        writer = await _connected(port)
        writer.writelines(
            b"<34>1 2026-11-25T22:14:15Z host app - - - line %d\n" % n for n in range(3)
        )
        writer.close()
        counted = "promtail_syslog_target_entries_total 3\n"
        await site.until("/metrics", lambda _, text: counted in text)
        reloading.text = reloading.text.replace("batchwait: 20ms", "batchwait: 10ms")
        assert await reloading.app.reload() is None
        site.loki.status = 204
        await site.loki.wait_for(3)
    [(labels, entries)] = site.loki.streams.items()
    assert labels == '{a="b", job="syslog"}'
    assert [entry.line for entry in entries] == [b"line 0", b"line 1", b"line 2"]


async def test_what_no_source_can_give_again_survives_a_stop(site: Site) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    text = f"""{site.config_text()}
  - job_name: syslog
    syslog: {{listen_address: "127.0.0.1:{port}", labels: {{job: syslog}}}}
"""
    site.loki.status = 503
    async with site.running(text):
        await site.until("/ready", lambda _, text: "starting" not in text)
        writer = await _connected(port)
        writer.write(b"<34>1 2026-11-25T22:14:15Z host app - - - one\n")
        writer.close()
        counted = "promtail_syslog_target_entries_total 1\n"
        await site.until("/metrics", lambda _, text: counted in text)
    site.loki.status = 204
    async with site.running(text):
        await site.loki.wait_for(1)
    [(labels, [entry])] = site.loki.streams.items()
    assert (labels, entry.line) == ('{job="syslog"}', b"one")
    assert not sorted(site.folder.rglob("*.blocks"))


async def _connected(port: int) -> asyncio.StreamWriter:
    while True:
        try:
            return (await asyncio.open_connection("127.0.0.1", port))[1]
        except ConnectionRefusedError:  # not listening yet
            await asyncio.sleep(0.01)


async def test_a_wrong_configuration_changes_nothing(reloading: Reloading) -> None:
    site = reloading.site
    site.docker.logs = [follow(*frames(20))]
    good = reloading.text
    async with reloading.running():
        await site.loki.wait_for(40)
        assert await reloading.app.reload() == UNCHANGED
        reloading.text = good + "nonsense: 1\n"
        problem = await reloading.app.reload()
        assert problem is not None
        assert problem.startswith("new.yaml:")
        assert "nonsense" in problem
        reloading.text = good.replace(
            "batchwait: 20ms", "tls_config: {ca_file: /nope.pem}"
        )
        problem = await reloading.app.reload()
        assert "/nope.pem" in (problem or "")
        metrics = await site.until("/metrics", lambda status, _: status == 200)
        assert "promtail_config_reload_fail_total 3\n" in metrics
        assert await site.until("/ready", lambda status, _: status == 200) == "Ready"
    assert site.loki.streams == wanted(20)


async def test_a_road_that_cannot_be_opened_is_followed_by_the_old_one(
    reloading: Reloading,
) -> None:
    site = reloading.site
    site.docker.logs = [follow(*frames(20)), follow(*frames(30))]
    async with reloading.running():
        await site.loki.wait_for(40)
        reloading.text += """\
  - job_name: secure
    syslog:
      listen_address: 127.0.0.1:0
      tls_config: {cert_file: /nope.pem, key_file: /nope.key}
"""
        problem = await reloading.app.reload()
        assert "/nope.pem" in (problem or "")
        await site.loki.wait_for(60)
    assert site.loki.streams == wanted(30)


async def test_the_program_ends_when_no_road_can_be_opened(
    reloading: Reloading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the new one nor the one before it: it must not try in turns for ever."""
    site = reloading.site
    site.docker.logs = [follow(*frames(20))]

    async def refuse(*_: object) -> list[object]:
        raise StartError("nothing can be read")

    async def fail_to_reload() -> None:
        async with reloading.running():
            await site.loki.wait_for(40)
            monkeypatch.setattr("shipper.road.sources", refuse)
            reloading.text = reloading.text.replace("20ms", "10ms")
            assert await reloading.app.reload() == "nothing can be read"
            await asyncio.wait([reloading.task])

    with pytest.raises(StartError, match="nothing can be read"):
        await fail_to_reload()


# --- real containers --------------------------------------------------------


def docker_image() -> str | None:
    """Return a local image with a shell, None without a Docker Engine."""
    if shutil.which("docker") is None:
        return None
    listing = subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"],
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    names = [name for name in listing.stdout.split() if "<none>" not in name]
    return next((name for name in names if "nginx" in name), None)


@pytest.fixture
def writer() -> Iterator[Callable[[int], str]]:
    """Start containers that write numbered lines on both streams."""
    image = docker_image()
    if image is None:
        pytest.skip("no Docker Engine with an nginx image")
    names: list[str] = []

    def start(count: int) -> str:
        names.append(f"shipper-test-{uuid.uuid4().hex[:8]}")
        script = f"i=0; while [ $i -lt {count} ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; sleep 300"  # noqa: E501
        subprocess.run(
            ["docker", "run", "-d", "--name", names[-1], "--label", "shipper-test",
             "--entrypoint", "sh", image, "-c", script],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        return names[-1]

    yield start
    for name in names:
        subprocess.run(
            ["docker", "rm", "-f", name], check=True, capture_output=True, timeout=60
        )


@pytest.mark.docker
async def test_real_containers_through_the_program_itself(
    site: Site, writer: Callable[[int], str]
) -> None:
    """`python -m shipper` as a process, stopped and started in the middle."""
    name = writer(2000)
    text = json.dumps(
        {
            "server": {
                "http_listen_address": "127.0.0.1",
                "http_listen_port": site.port,
            },
            "positions": {"filename": f"{site.folder}/positions.yaml"},
            "clients": [{"url": site.url, "batchwait": "50ms"}],
            "scrape_configs": [
                {
                    "job_name": "docker",
                    "docker_sd_configs": [
                        {
                            "host": "unix:///var/run/docker.sock",
                            "filters": [{"name": "name", "values": [name]}],
                        }
                    ],
                    "relabel_configs": [
                        {
                            "source_labels": ["__meta_docker_container_name"],
                            "regex": "/(.*)",
                            "target_label": "container_name",
                        },
                        {
                            "source_labels": ["__meta_docker_container_log_stream"],
                            "target_label": "stream",
                        },
                    ],
                }
            ],
        }
    )
    config = site.folder / "config.yaml"
    config.write_text(text)
    again = "shipper_duplicates_suppressed_total 0\n"
    for restarted in (False, True):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "shipper", "-config.file", str(config),
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        await site.loki.wait_for(4000)
        await site.until("/ready", lambda status, _: status == 200)
        if restarted:  # it has read the overlap and recognised it
            await site.until("/metrics", lambda _, text: again not in text)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    lines = {
        labels: [entry.line.decode() for entry in entries]
        for labels, entries in site.loki.streams.items()
    }
    assert lines == {
        f'{{container_name="{name}", stream="std{kind}"}}': [
            f"{kind} {n}" for n in range(2000)
        ]
        for kind in ("out", "err")
    }
