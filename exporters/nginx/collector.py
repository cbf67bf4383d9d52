"""Scrape every nginx at once and turn what they answer into metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.client import Client
from exporters.nginx.metrics import Labels, nginx_metrics, target_labels
from exporters.nginx.patience import time_limit
from exporters.nginx.stub_status import StubStatus
from exporters.toolkit.metric import Metric


log = logging.getLogger(__name__)


class Collector:
    """Read all *clients* in parallel, each within *timeout_seconds*."""

    def __init__(
        self, clients: Sequence[Client], const_labels: Labels, timeout_seconds: float
    ) -> None:
        self._clients = clients
        self._labels = target_labels([c.target for c in clients], const_labels)
        self._timeout_seconds = timeout_seconds

    async def collect(self, scrape_timeout_seconds: float | None) -> list[Metric]:
        """Return the nginx families; never raise because of what nginx did.

        *scrape_timeout_seconds* is what the scraper announced, None if nothing.
        """
        limit = time_limit(self._timeout_seconds, scrape_timeout_seconds)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_read(client, limit)) for client in self._clients
            ]
        statuses = (task.result() for task in tasks)
        return nginx_metrics(zip(self._labels, statuses, strict=True))


async def _read(client: Client, limit_seconds: float) -> StubStatus | None:
    try:
        return await client.fetch(limit_seconds)
    except ScrapeError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - a defect met with one nginx must not hide the others
        reason = f"unexpected {type(error).__name__}"
    fields = {"uri": client.target.name, "error": reason}
    log.error("error getting stats", extra={"fields": fields})
    return None
