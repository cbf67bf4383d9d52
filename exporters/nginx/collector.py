"""Scrape every nginx at once and turn what they answer into metrics."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.client import Answer, Client, status_of
from exporters.nginx.http.together import ask_together
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
        outcomes = await ask_together(self._clients, limit)
        statuses = map(_read, self._clients, outcomes)
        return nginx_metrics(zip(self._labels, statuses, strict=True))


def _read(client: Client, outcome: Answer | Exception) -> StubStatus | None:
    error: Exception
    try:
        if isinstance(outcome, Answer):
            return status_of(outcome)
        error = outcome
    except ScrapeError as found:
        error = found
    # A defect met with one nginx must not hide the others.
    known = isinstance(error, ScrapeError)
    reason = str(error) if known else f"unexpected {type(error).__name__}"
    fields = {"uri": client.target.name, "error": reason}
    log.error("error getting stats", extra={"fields": fields})
    return None
