"""From the keys of a job that are about files to its `FilesSource`."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from .config.files import DecompressionConfig, FileSDConfig, FileWatchConfig
from .config.model import Config
from .config.scrape import ScrapeConfig
from .config.static import StaticConfig
from .files import target
from .files.discovery import FileSD
from .files.disk import Disk
from .files.ledger import Ledger
from .files.meters import Meters
from .files.reader import Budget
from .files.settings import Archives, Settings
from .files.source import FilesSource
from .files.supervisor import FilesSupervisor, Pace
from .files.text import splitters
from .files.unpack import Format
from .pipeline.entry import Sink
from .positions import Positions
from .relabel import RelabelConfig, relabel


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJob:
    """What a job says about its files, and the program about how to look at them."""

    name: str
    static_configs: Sequence[StaticConfig] = ()
    file_sd_configs: Sequence[FileSDConfig] = ()
    relabel_configs: Sequence[RelabelConfig] = ()
    encoding: str = ""
    decompression: DecompressionConfig | None = None
    sync_seconds: float = 10.0
    watch: FileWatchConfig = field(default_factory=FileWatchConfig)


def files_supervisor(
    job: ScrapeConfig,
    config: Config,
    positions: Positions,
    sink: Sink,
    *,
    meters: Meters,
    budget: Budget,
) -> FilesSource:
    """Return what reads the files of *job*; *budget* is shared by all jobs."""
    about = FileJob(
        name=job.job_name,
        static_configs=job.static_configs,
        relabel_configs=job.relabel_configs,
        file_sd_configs=job.file_sd_configs,
        encoding=job.encoding,
        decompression=job.decompression,
        sync_seconds=config.target_config.sync_period,
        watch=config.global_.file_watch_config,
    )
    return files_source(about, positions, sink, meters=meters, budget=budget)


def files_source(
    job: FileJob, positions: Positions, sink: Sink, *, meters: Meters, budget: Budget
) -> FilesSource:
    """Return what reads the files of *job*; *budget* is shared by all jobs."""
    archives = _archives(job.decompression)
    settings = Settings(
        sink,
        Disk(),
        meters,
        budget=budget,
        # promtail takes the \r off in archives, and only there.
        make_splitter=splitters(job.encoding, keep_cr=archives is None),
        archives=archives,
    )
    ledger = Ledger(positions, job.name, archives=archives is not None)
    pace = Pace(job.sync_seconds, *job.watch.pace)
    return FilesSource(
        job.name,
        FilesSupervisor((), ledger, settings, pace=pace),
        _builder(job, meters),
        [
            target.StaticConfig(item.targets or target.LOCALHOST, item.labels)
            for item in job.static_configs
        ],
        [FileSD(item.files, item.refresh_interval) for item in job.file_sd_configs],
        disk=settings.disk,
    )


def _archives(config: DecompressionConfig | None) -> Archives | None:
    if config is None or not config.enabled:
        return None
    return Archives(cast("Format", config.format), config.initial_delay)


def _builder(job: FileJob, meters: Meters) -> target.Builder:
    # As promtail: what a container or an orchestrator says comes before the kernel.
    hostname = os.environ.get("HOSTNAME") or socket.gethostname()
    rules = partial(relabel, rules=job.relabel_configs)
    return target.Builder(rules, hostname, meters)
