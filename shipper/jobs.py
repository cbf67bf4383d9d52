"""From a job of the configuration to what reads it: one builder per kind of source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from exporters.toolkit.errors import StartError

from .config.journal import JournalConfig
from .config.model import Config
from .config.push import PushConfig
from .config.scrape import DockerSDConfig, ScrapeConfig
from .config.syslog import SyslogConfig
from .docker.engine import Engine
from .docker.host import DockerHost
from .docker.ledger import Ledger
from .docker.meta import Options
from .docker.source import DockerSource
from .docker.supervisor import Supervisor
from .docker.tailer import Settings
from .files.reader import Budget
from .loki.configure import static_headers
from .meters import Meters
from .pipeline.entry import BoundedSink
from .positions import Positions
from .relabel import relabel
from .source import Source
from .spool.volume import Volume
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
    if job.static_configs or job.file_sd_configs:
        yield _files(job, sink, yard)
    if job.journal is not None:
        yield _journal(job, job.journal, sink, yard)
    if job.syslog is not None:
        yield _syslog(job, job.syslog, sink, yard)
    if job.loki_push_api is not None:
        yield _push(job, job.loki_push_api, sink, yard)


# Each loads what it needs when it is asked for. Most configurations have one kind of
# source; all kinds together take 50 ms of CPU and 2.6 MiB, most of it for aiohttp's
# server, which only the push API has.


def _files(job: ScrapeConfig, sink: BoundedSink, yard: Yard) -> Source:
    from .file_jobs import files_source  # noqa: PLC0415 - see above
    from .files.supervisor import Pace  # noqa: PLC0415 - see above

    watch, target = yard.config.global_.file_watch_config, yard.config.target_config
    return files_source(
        job,
        Pace(target.sync_period, *watch.pace),
        yard.positions,
        sink,
        meters=yard.meters.files,
        budget=yard.budget,
    )


def _journal(
    job: ScrapeConfig, journal: JournalConfig, sink: BoundedSink, yard: Yard
) -> Source:
    from .journal_job import journal_source  # noqa: PLC0415 - see above

    return journal_source(
        job.job_name,
        journal,
        job.relabel_configs,
        positions=yard.positions,
        sink=sink,
        meters=yard.meters.journal,
    )


def _syslog(
    job: ScrapeConfig, syslog: SyslogConfig, sink: BoundedSink, yard: Yard
) -> Source:
    from .syslog.source import SyslogSource  # noqa: PLC0415 - see above

    rules = partial(relabel, rules=job.relabel_configs)
    return SyslogSource(job.job_name, syslog, rules, sink, yard.meters.syslog)


def _push(job: ScrapeConfig, push: PushConfig, sink: BoundedSink, yard: Yard) -> Source:
    from .push.source import PushSource  # noqa: PLC0415 - see above

    rules = partial(relabel, rules=job.relabel_configs)
    meters, hurry = yard.meters.push, yard.hurry
    return PushSource(job.job_name, push, rules, sink, meters, hurry=hurry)


async def _docker(
    job: ScrapeConfig, daemon: DockerSDConfig, sink: BoundedSink, yard: Yard
) -> Source:
    engine = Engine(docker_host(daemon))
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
