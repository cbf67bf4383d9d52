"""From a job's ``static_configs`` to its `FilesSupervisor`; called by ``app``."""

from __future__ import annotations

import os
import socket
from functools import partial

from exporters.toolkit.errors import StartError

from .config.model import Config
from .config.scrape import ScrapeConfig
from .files.disk import Disk
from .files.glob import GlobError
from .files.ledger import Ledger
from .files.meters import Meters
from .files.reader import Budget
from .files.supervisor import FilesSupervisor, Pace
from .files.tail import Settings
from .files.target import StaticConfig, build
from .pipeline.entry import Sink
from .positions import Positions
from .relabel import relabel


def files_supervisor(
    job: ScrapeConfig,
    config: Config,
    positions: Positions,
    sink: Sink,
    *,
    meters: Meters,
    budget: Budget,
) -> FilesSupervisor:
    """Return what reads the files of *job*; *budget* is shared by all jobs.

    Raises StartError when relabelling makes a path that is no pattern.
    """
    configs = [StaticConfig(item.targets, item.labels) for item in job.static_configs]
    rules = partial(relabel, rules=job.relabel_configs)
    # As promtail: what a container or an orchestrator says comes before the kernel.
    hostname = os.environ.get("HOSTNAME") or socket.gethostname()
    try:
        targets = build(configs, rules, hostname, meters)
    except GlobError as error:
        raise StartError(f"job {job.job_name}: __path__: {error}") from error
    return FilesSupervisor(
        targets,
        Ledger(positions, job.job_name),
        Settings(sink, Disk(), meters, budget=budget),
        pace=Pace(sync=config.target_config.sync_period),
    )
