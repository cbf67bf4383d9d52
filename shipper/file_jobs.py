"""From the keys of a job that are about files to its `FilesSource`."""

from __future__ import annotations

import os
import socket
from functools import partial
from typing import cast

from .config.files import DecompressionConfig
from .config.scrape import ScrapeConfig
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
from .pipeline.entry import BoundedSink
from .positions import Positions
from .relabel import relabel


def files_source(
    job: ScrapeConfig,
    pace: Pace,
    positions: Positions,
    sink: BoundedSink,
    *,
    meters: Meters,
    budget: Budget,
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
    ledger = Ledger(positions, job.job_name, archives=archives is not None)
    return FilesSource(
        job.job_name,
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


def _builder(job: ScrapeConfig, meters: Meters) -> target.Builder:
    # As promtail: what a container or an orchestrator says comes before the kernel.
    hostname = os.environ.get("HOSTNAME") or socket.gethostname()
    rules = partial(relabel, rules=job.relabel_configs)
    return target.Builder(rules, hostname, meters)
