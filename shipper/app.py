"""Wires the parts: positions, clients, sender, supervisors, HTTP.

The stop is one function, `_stop`: intake, flush, positions, close.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from exporters.toolkit.errors import StartError
from exporters.toolkit.web import serve as serve_http

from .config.model import Config, DockerSDConfig, ScrapeConfig
from .docker.engine import Engine
from .docker.ledger import STREAM_NAMES, Ledger
from .docker.meta import Options
from .docker.stream import DockerHost
from .docker.supervisor import Supervisor
from .docker.tailer import Settings
from .file_jobs import files_supervisor
from .file_metrics import FileMeters
from .files.reader import Budget
from .files.supervisor import FilesSupervisor
from .files.tail import MAX_OPEN_FILES
from .loki.client import PushClient, authorize
from .loki.configure import client_settings, http_credentials
from .loki.dry_run import Printer
from .loki.health import Health
from .loki.sender import Sender
from .loki.watch import watch
from .metrics import DockerMeters, ShipperMetrics
from .pipeline.entry import Sink
from .positions import Positions
from .relabel import relabel
from .show import show
from .tls import tls_context
from .web import Target, View, shipper_app


log = logging.getLogger(__name__)

# Together under the 9 s of lifecycle.run; Docker kills after 10 s.
INTAKE_SECONDS = 1.0
DRAIN_SECONDS = 5.0
POSITIONS_SECONDS = 1.5


@dataclass(slots=True)
class _Parts:
    """What runs, once it is wired."""

    positions: Positions
    sender: Sender | None = None  # None: a dry run
    healths: list[Health] = field(default_factory=list)
    jobs: list[tuple[str, Supervisor]] = field(default_factory=list)
    file_jobs: list[tuple[str, FilesSupervisor]] = field(default_factory=list)

    @property
    def supervisors(self) -> list[tuple[str, Supervisor | FilesSupervisor]]:
        """Everything that reads, with the name of its job."""
        return [*self.jobs, *self.file_jobs]

    def not_ready(self) -> str | None:
        """Return why logs do not flow from Docker to Loki, or None."""
        for _, supervisor in self.jobs:
            if not supervisor.reachable:
                return f"Docker cannot be reached: {supervisor.reason}"
        reasons = (health.reason for health in self.healths)
        return next((reason for reason in reasons if reason is not None), None)

    def targets(self) -> Iterator[Target]:
        """Return every container and every file that is read."""
        for job, supervisor in self.jobs:
            for tailer in supervisor.tailers.values():
                yield Target(
                    job,
                    tailer.container_id,
                    tailer.discovered,
                    {STREAM_NAMES[key]: lbs for key, lbs in tailer.labels.items()},
                )
        for job, files in self.file_jobs:
            for tail in files.tails.values():
                yield Target(job, "", tail.discovered, {tail.path: tail.labels})


async def serve(config: Config, stop: asyncio.Event, *, dry_run: bool = False) -> None:
    """Ship logs as *config* says until *stop* is set; then stop in order.

    With *dry_run* entries are printed, positions are only read.

    Raises:
        StartError: the configuration cannot be used here, or the port is taken.
    """
    try:
        await _serve(config, stop, dry_run=dry_run)
    except BaseExceptionGroup as group:
        start_errors, _ = group.split(StartError)
        if start_errors is not None:
            raise _first(start_errors) from None
        raise


async def _serve(config: Config, stop: asyncio.Event, *, dry_run: bool) -> None:
    metrics = ShipperMetrics()
    positions = Positions(
        config.positions.filename, sync_seconds=config.positions.sync_period
    )
    parts = _Parts(positions)
    # Entered first, closed last: tasks end before the clients they use.
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        background: list[Coroutine[Any, Any, None]] = []
        sink: Sink = Printer(sys.stdout)
        if not dry_run:
            sink, watches = await _connect(config, metrics, parts, stack)
            background += [*watches, positions.run()]
        for job in config.scrape_configs:
            await _add_job(job, parts, sink, metrics, stack)
        _add_files(config, parts, sink, metrics)
        http_stop = asyncio.Event()
        if not config.server.disable:
            view = View(metrics.registry, parts.not_ready, parts.targets, show(config))
            app = shipper_app(config.server, view)
            tasks.create_task(serve_http(app, [config.server.listen], http_stop))
        helping = [tasks.create_task(coroutine) for coroutine in background]
        reading = [
            tasks.create_task(supervisor.run(), name=f"job {name}")
            for name, supervisor in parts.supervisors
        ]
        await stop.wait()
        http_stop.set()  # closes beside the rest, it may take 3 s
        await _stop(parts, reading)
        for task in helping:
            task.cancel()


async def _stop(parts: _Parts, reading: Sequence[asyncio.Task[None]]) -> None:
    """Stop in the order that loses nothing: intake, flush, positions, then close."""
    for _, supervisor in parts.supervisors:
        supervisor.stop_reading()
    if reading:
        _, slow = await asyncio.wait(reading, timeout=INTAKE_SECONDS)
        for task in slow:
            task.cancel()
    if parts.sender is None:  # a dry run keeps nothing
        return
    if left := await parts.sender.drain(DRAIN_SECONDS):
        log.warning(
            "stopping with entries Loki did not take; the next start reads them again",
            extra={"fields": {"entries": left}},
        )
    try:
        async with asyncio.timeout(POSITIONS_SECONDS):
            await parts.positions.close()
    except TimeoutError:
        log.error(  # noqa: TRY400 - one line, no traceback
            "positions were not written in time, lines will be read again",
            extra={"fields": {"file": parts.positions.path}},
        )


async def _connect(
    config: Config, metrics: ShipperMetrics, parts: _Parts, stack: AsyncExitStack
) -> tuple[Sender, list[Coroutine[Any, Any, None]]]:
    """Open every client and the sender in front; return what else must run."""
    clock = asyncio.get_running_loop().time
    clients = [
        await stack.enter_async_context(PushClient(client_settings(client)))
        for client in config.all_clients
    ]
    sender = await stack.enter_async_context(Sender(metrics, clients=len(clients)))
    parts.sender = sender
    watches = []
    for client in clients:
        health = Health(client.settings.host, clock)
        parts.healths.append(health)
        delivery = sender.connect(client.settings, client, health)
        watches.append(watch(client, health, delivery))
    return sender, watches


async def _add_job(
    job: ScrapeConfig,
    parts: _Parts,
    sink: Sink,
    metrics: ShipperMetrics,
    stack: AsyncExitStack,
) -> None:
    """Add a supervisor for every Docker daemon of *job*."""
    settings = Settings(
        relabel=partial(relabel, rules=job.relabel_configs),
        sink=sink,
        meters=DockerMeters(metrics),
    )
    several = len(job.docker_sd_configs) > 1
    for daemon in job.docker_sd_configs:
        engine = await stack.enter_async_context(Engine(_docker_host(daemon)))
        # Containers of another daemon are not "gone": each daemon has its own books.
        name = f"{job.job_name}/{daemon.host}" if several else job.job_name
        supervisor = Supervisor(
            engine,
            Ledger(parts.positions, name),
            settings,
            filters={item.name: item.values for item in daemon.filters},
            refresh_seconds=daemon.refresh_interval,
            options=Options(daemon.port, daemon.host_networking_host),
        )
        parts.jobs.append((job.job_name, supervisor))


def _add_files(
    config: Config, parts: _Parts, sink: Sink, metrics: ShipperMetrics
) -> None:
    """Add what reads the files of every job that has some."""
    meters, budget = FileMeters(metrics), Budget(MAX_OPEN_FILES)
    for job in config.scrape_configs:
        if job.static_configs:
            files = files_supervisor(
                job, config, parts.positions, sink, meters=meters, budget=budget
            )
            parts.file_jobs.append((job.job_name, files))


def _docker_host(daemon: DockerSDConfig) -> DockerHost:
    try:
        return DockerHost(
            daemon.host,
            ssl=tls_context(daemon.tls_config),
            headers=_login(daemon),
        )
    except ValueError as error:
        raise StartError(f"docker_sd_configs: {error}") from error


def _login(daemon: DockerSDConfig) -> dict[str, str]:
    """Return the Authorization header for a daemon behind a proxy that wants one."""
    try:
        value = authorize(http_credentials(daemon))
    except OSError as error:
        raise StartError(
            f"docker_sd_configs: {error.filename}: cannot be read: {error.strerror}"
        ) from error
    return {"Authorization": value} if value else {}


def _first(group: BaseExceptionGroup[StartError]) -> StartError:
    """Return the first error in *group*, however deep it lies."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, StartError)
    return error
