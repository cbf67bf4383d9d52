"""Scrape every nginx at once and turn what they answer into metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from prometheus_client.core import Metric

from exporters.nginx.client import Client
from exporters.nginx.errors import ScrapeError
from exporters.nginx.metrics import Labels, nginx_metrics, target_labels
from exporters.nginx.stub_status import StubStatus


log = logging.getLogger(__name__)

# The answer has to travel back before the scraper gives up (blackbox_exporter
# --timeout-offset), and a short timeout must not be spent on the margin.
MARGIN_SECONDS = 0.5
MARGIN_SHARE = 0.1

# --nginx.timeout=0 is "no limit" upstream. A scraper that announces no timeout
# either is answered after a minute, Prometheus' longest usual interval.
CEILING_SECONDS = 60.0


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


def time_limit(configured_seconds: float, announced_seconds: float | None) -> float:
    """Return how long an nginx may take, in seconds.

    *configured_seconds* is ``--nginx.timeout``, 0 for no limit of its own;
    *announced_seconds* the scraper's patience, from which a margin is taken.
    """
    limit = configured_seconds or CEILING_SECONDS
    if announced_seconds is None or announced_seconds <= 0:
        return limit
    margin = min(MARGIN_SECONDS, announced_seconds * MARGIN_SHARE)
    return min(limit, announced_seconds - margin)


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
