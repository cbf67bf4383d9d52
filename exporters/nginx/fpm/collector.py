"""Scrape every pool at once and turn what they answer into metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from exporters.nginx.errors import ScrapeError
from exporters.nginx.fpm.client import FpmClient
from exporters.nginx.fpm.metrics import Reading, fpm_metrics
from exporters.nginx.fpm.status import PoolStatus
from exporters.nginx.fpm.unix_queue import Queue, file_key, listen_queues
from exporters.nginx.metrics import Labels
from exporters.nginx.patience import time_limit
from exporters.toolkit.metric import Metric


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the flags say.

    *timeout_seconds* is each pool's, 0 for none of its own. With *fix_process_count*
    the children are counted here; without *processes* no child has series. All
    series have *const_labels*.
    """

    timeout_seconds: float
    fix_process_count: bool = False
    processes: bool = True
    const_labels: Labels = field(default_factory=dict)


@dataclass(slots=True)
class _Pool:
    """One pool and what is kept of it from one scrape to the next."""

    client: FpmClient
    name: str = ""
    failures: int = 0


class FpmCollector:
    """Read all *clients* in parallel, as *settings* say."""

    def __init__(self, clients: Iterable[FpmClient], settings: Settings) -> None:
        self._pools = [_Pool(client) for client in clients]
        self._settings = settings

    @property
    def names(self) -> list[str]:
        """The pools as they were given."""
        return [pool.client.target.name for pool in self._pools]

    async def collect(self, scrape_timeout_seconds: float | None) -> list[Metric]:
        """Return the php-fpm families; never raise because of what php-fpm did.

        *scrape_timeout_seconds* is what the scraper announced, None if nothing.
        """
        limit = time_limit(self._settings.timeout_seconds, scrape_timeout_seconds)
        queues = self._queues()  # before our own requests are waiting there
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_read(pool, limit)) for pool in self._pools]
        readings = [
            replace(
                task.result(), queue=queue, const_labels=self._settings.const_labels
            )
            for task, queue in zip(tasks, queues, strict=True)
        ]
        if self._settings.fix_process_count:
            readings = [_counted(reading) for reading in readings]
        return fpm_metrics(readings, processes=self._settings.processes)

    def _queues(self) -> list[Queue | None]:
        paths = [pool.client.target.socket for pool in self._pools]
        found = listen_queues() if any(paths) else {}
        keys = (None if path is None else file_key(path) for path in paths)
        return [None if key is None else found.get(key) for key in keys]


async def _read(pool: _Pool, limit_seconds: float) -> Reading:
    status = await _fetch(pool, limit_seconds)
    if status is None:
        pool.failures += 1
    else:
        pool.name = status.name
    return Reading(pool.client.target.name, pool.name, pool.failures, status)


async def _fetch(pool: _Pool, limit_seconds: float) -> PoolStatus | None:
    try:
        return await pool.client.fetch(limit_seconds)
    except ScrapeError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - a defect met with one pool must not hide the others
        reason = f"unexpected {type(error).__name__}"
    fields = {"uri": pool.client.target.name, "error": reason}
    log.error("error scraping php-fpm", extra={"fields": fields})
    return None


def _counted(reading: Reading) -> Reading:
    """Return *reading* with its children counted: php-fpm's own numbers may drift.

    Active is every child that is not idle, as php-fpm itself means it (php bug
    76003); hipages' exporter leaves out those that are beginning or ending.
    """
    if reading.status is None:
        return reading
    total = len(reading.status.children)
    idle = sum(child.state == "Idle" for child in reading.status.children)
    status = replace(
        reading.status,
        idle_processes=idle,
        active_processes=total - idle,
        total_processes=total,
    )
    return replace(reading, status=status)
