"""Scrape every NGINX Plus at once and turn what they answer into metrics.

Upstream counterpart: ``Collect`` in ``collector/nginx_plus.go``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from exporters.nginx.errors import ScrapeError
from exporters.nginx.metrics import Labels, target_labels
from exporters.nginx.patience import time_limit
from exporters.toolkit.errors import StartError
from exporters.toolkit.metric import Metric

from .api import Session
from .endpoints import LICENSE, Endpoint
from .fields import NAMESPACE
from .metrics import Families, merged
from .reading import Documents, Reader
from .tables import LABELS


log = logging.getLogger(__name__)

# What is made into samples before others get their turn: 32 servers are 5 ms.
RECORDS_AT_ONCE = 32


class PlusCollector:
    """Read all *sessions* in parallel, each within *timeout_seconds*.

    Raises StartError where a constant label has the name of one that the metrics have
    themselves (upstream panics).
    """

    def __init__(
        self, sessions: Sequence[Session], const_labels: Labels, timeout_seconds: float
    ) -> None:
        if taken := sorted(LABELS & const_labels.keys()):
            raise StartError(
                f"--prometheus.const-label {taken[0]} is a label of NGINX Plus's own "
                "metrics, expected another name"
            )
        labels = target_labels([each.target for each in sessions], const_labels)
        self._nginxes = [
            _Nginx(session, own) for session, own in zip(sessions, labels, strict=True)
        ]
        self._timeout_seconds = timeout_seconds

    async def collect(self, scrape_timeout_seconds: float | None) -> list[Metric]:
        """Return the nginxplus families; never raise because of what nginx did.

        *scrape_timeout_seconds* is what the scraper announced, None if nothing.
        """
        limit = time_limit(self._timeout_seconds, scrape_timeout_seconds)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(nginx.collect(limit)) for nginx in self._nginxes]
        return list(merged(task.result() for task in tasks))


class _Nginx:
    """One NGINX Plus, and what is remembered of it from scrape to scrape."""

    def __init__(self, session: Session, labels: Labels) -> None:
        self._session = session
        self._labels = labels
        self._reader = Reader(session)
        self._repeated: list[str] = []

    async def collect(self, limit_seconds: float) -> list[Metric]:
        try:
            documents = await self._reader.read(limit_seconds)
            metrics = await self._metrics(documents)
        except ScrapeError as error:
            return self._down(str(error))
        except Exception as error:  # noqa: BLE001 - a defect met with one nginx must not hide the others
            return self._down(f"unexpected {type(error).__name__}")
        return [self._up(1), *metrics]

    def _down(self, reason: str) -> list[Metric]:
        fields = {"uri": self._session.target.name, "error": reason}
        log.warning("error getting stats", extra={"fields": fields})
        return [self._up(0)]

    def _up(self, value: float) -> Metric:
        up = Metric(f"{NAMESPACE}up", "Status of the last metric scrape", "gauge")
        up.add_sample(up.name, dict(self._labels), value)
        return up

    async def _metrics(self, documents: Documents) -> Iterable[Metric]:
        families = Families(self._labels)
        for endpoint, document in documents.items():
            if endpoint is not LICENSE:
                await _add(families, endpoint, document)
        self._report(families.repeated)
        if LICENSE not in documents:
            return families.metrics()
        return (*families.metrics(), *await self._license(documents[LICENSE]))

    async def _license(self, document: object) -> Iterable[Metric]:
        # One that cannot be read is no reason to lose everything else.
        families = Families(self._labels)
        try:
            if isinstance(document, ScrapeError):
                raise document
            await _add(families, LICENSE, document)
        except ScrapeError as error:
            fields = {"uri": self._session.target.name, "error": str(error)}
            log.warning("error getting license information", extra={"fields": fields})
            return ()
        return families.metrics()

    def _report(self, repeated: list[str]) -> None:
        """Log which records have the same labels as another, when that changes."""
        if repeated and repeated != self._repeated:
            fields = {"uri": self._session.target.name, "twice": repeated[:10]}
            log.warning("only the first of two is exported", extra={"fields": fields})
        self._repeated = repeated


async def _add(families: Families, endpoint: Endpoint, document: object) -> None:
    try:
        for number, record in enumerate(endpoint.records(document)):
            families.add(record)
            if number % RECORDS_AT_ONCE == RECORDS_AT_ONCE - 1:
                await asyncio.sleep(0)
    except ScrapeError as error:
        raise ScrapeError(f"{endpoint.path}: {error}") from error
