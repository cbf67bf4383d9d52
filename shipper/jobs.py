"""From a job of the configuration to what reads it: one builder per kind of source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from exporters.toolkit.errors import StartError

from .config.model import Config
from .config.scrape import DockerSDConfig, ScrapeConfig
from .docker.engine import Engine
from .docker.ledger import Ledger
from .docker.meta import Options
from .docker.source import DockerSource
from .docker.stream import DockerHost
from .docker.supervisor import Supervisor
from .docker.tailer import Settings
from .file_jobs import files_source
from .files.reader import Budget
from .files.supervisor import Pace
from .journal_job import journal_source
from .loki.configure import static_headers
from .meters import Meters
from .pipeline.entry import BoundedSink
from .positions import Positions
from .push.source import PushSource
from .relabel import relabel
from .source import Source
from .spool.volume import Volume
from .syslog.source import SyslogSource
from .tls import tls_context


@dataclass(frozen=True, slots=True)
class Yard:
    """What all sources under one configuration share.

    *stack* closes what they open; *hurry* sends what is collected without waiting.
    *volume* is the spool, None when there is none.
    """

    config: Config
    positions: Positions
    meters: Meters
    budget: Budget
    stack: AsyncExitStack
    hurry: Callable[[], object]
    volume: Volume | None


async def sources(job: ScrapeConfig, sink: BoundedSink, yard: Yard) -> list[Source]:
    """Return everything that reads for *job*; several kinds work side by side.

    Raises:
        StartError: a setting cannot be used on this machine.
    """
    daemons = [
        await _docker(job, daemon, sink, yard) for daemon in job.docker_sd_configs
    ]
    return [*daemons, *_others(job, sink, yard)]


def _others(job: ScrapeConfig, sink: BoundedSink, yard: Yard) -> Iterator[Source]:
    rules = partial(relabel, rules=job.relabel_configs)
    if job.static_configs or job.file_sd_configs:
        watch, target = yard.config.global_.file_watch_config, yard.config.target_config
        yield files_source(
            job,
            Pace(target.sync_period, *watch.pace),
            yard.positions,
            sink,
            meters=yard.meters.files,
            budget=yard.budget,
        )
    if job.journal is not None:
        yield journal_source(
            job.job_name,
            job.journal,
            job.relabel_configs,
            positions=yard.positions,
            sink=sink,
            meters=yard.meters.journal,
        )
    if job.syslog is not None:
        meters = yard.meters.syslog
        yield SyslogSource(job.job_name, job.syslog, rules, sink, meters)
    if job.loki_push_api is not None:
        yield PushSource(
            job.job_name,
            job.loki_push_api,
            rules,
            sink,
            yard.meters.push,
            hurry=yard.hurry,
        )


async def _docker(
    job: ScrapeConfig, daemon: DockerSDConfig, sink: BoundedSink, yard: Yard
) -> Source:
    engine = await yard.stack.enter_async_context(Engine(docker_host(daemon)))
    # Containers of another daemon are not "gone": each daemon has its own books.
    several = len(job.docker_sd_configs) > 1
    name = f"{job.job_name}/{daemon.host}" if several else job.job_name
    ledger = Ledger(yard.positions, name, yard.volume)
    await ledger.open_spool()
    supervisor = Supervisor(
        engine,
        ledger,
        Settings(
            relabel=partial(relabel, rules=job.relabel_configs),
            sink=sink,
            meters=yard.meters.docker,
        ),
        filters={item.name: item.values for item in daemon.filters},
        refresh_seconds=daemon.refresh_interval,
        options=Options(daemon.port, daemon.host_networking_host),
    )
    return DockerSource(job.job_name, supervisor)


def docker_host(daemon: DockerSDConfig) -> DockerHost:
    """Return how *daemon* is reached. Raises StartError."""
    try:
        return DockerHost(
            daemon.host,
            ssl=tls_context(daemon.tls_config),
            headers=static_headers(daemon),
            server_name=daemon.tls_config.server_name or None,
        )
    except ValueError as error:
        raise StartError(f"docker_sd_configs: {error}") from error
