"""Answer requests for the metrics (client_golang ``promhttp/http.go``)."""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import threading
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass

from . import process_metrics, selfmetrics
from .compression import compress, wants_gzip
from .encoders import encoder
from .exposed import Exposed
from .http.connection import Handler
from .http.patience import Patience
from .http.request import Request
from .http.response import Response, text_answer, text_response
from .logs import describe
from .negotiation import negotiate


log = logging.getLogger(__name__)

# A gather that takes longer is answered 503 (promhttp HandlerOpts.Timeout).
GATHER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Scrape:
    """One request for the metrics."""

    query: Mapping[str, Sequence[str]]
    timeout_seconds: float | None = None


class ScrapeRefused(Exception):  # noqa: N818 -- an answer to the client, not a fault
    """Answer 400 with this text."""


Gather = Callable[[Scrape], Awaitable[Iterable[Exposed]]]
Render = Callable[[Iterable[Exposed]], Response]
Through = Callable[[Scrape, Render], Awaitable[Response]]
"""Gather, and answer with what a function makes of it, called in whatever thread."""


def metrics_handler(
    gather: Gather,
    *,
    program: str,
    max_requests: int = 40,
    exporter_metrics: bool = True,
    gather_seconds: float = GATHER_SECONDS,
    openmetrics: bool = False,
    through: Through | None = None,
) -> Handler:
    """Return a handler that answers with what *gather* returns, or *through* if given.

    ``<program>_build_info`` is added, and with *exporter_metrics* the process_* and
    promhttp_* families too. More than *max_requests* at a time (0: no bound) are
    answered 503. An exception in *gather* is logged and answered 500, and one that
    takes longer than *gather_seconds* is cancelled and answered 503. *openmetrics*
    gives it to whoever prefers it, as Prometheus does.
    """
    served = _Metrics(gather, program, max_requests, exporter_metrics, gather_seconds)
    served.openmetrics = openmetrics
    served.through = through or served.through
    return served.handle


class _Metrics:
    def __init__(
        self,
        gather: Gather,
        program: str,
        max_requests: int,
        exporter_metrics: bool,
        gather_seconds: float,
    ) -> None:
        self._exporter_metrics = exporter_metrics
        self._gather = gather
        self._program = program
        self._max_requests = max_requests
        self._gather_seconds = gather_seconds
        self.openmetrics = False
        self.through: Through = self._inline
        # Families that are kept hold the numbers of one scrape at a time.
        self._one_at_a_time = threading.Lock()
        self._metrics = selfmetrics.HandlerMetrics()
        self._patience: Patience[asyncio.Timeout] | None = None

    async def _inline(self, scrape: Scrape, render: Render) -> Response:
        return render(await self._gather(scrape))

    async def handle(self, request: Request) -> Response:
        self._metrics.in_flight += 1
        try:
            response = await self._answer(request)
        except ScrapeRefused as refusal:
            # Upstream filters in front of promhttp: not counted there either.
            return text_response(str(refusal), 400)
        finally:
            self._metrics.in_flight -= 1
        self._metrics.count(response.status)
        return response

    async def _answer(self, request: Request) -> Response:
        if 0 < self._max_requests < self._metrics.in_flight:
            return text_answer(
                503,
                f"Limit of concurrent requests reached ({self._max_requests}), "
                "try again later.\n",
            )
        scrape = parse_scrape(request)
        try:
            async with asyncio.timeout(None) as deadline:
                return await self._answered(request, scrape, deadline)
        except ScrapeRefused:
            raise
        except Exception as error:
            if isinstance(error, TimeoutError) and deadline.expired():
                return self._too_slow()
            log.exception("error gathering metrics")  # one line: see logs.py
            self._metrics.count_error("gathering")
            return text_answer(
                500,
                f"An error has occurred while serving metrics: {describe(error)}\n",
            )

    async def _answered(
        self, request: Request, scrape: Scrape, deadline: asyncio.Timeout
    ) -> Response:
        # One timer for all scrapes, in place of one for each.
        if self._patience is None:
            self._patience = Patience(self._gather_seconds, _expire)
        self._patience.add(deadline)
        try:
            return await self.through(
                scrape, functools.partial(self._render, request, scrape)
            )
        finally:
            self._patience.discard(deadline)

    def _too_slow(self) -> Response:
        text = f"Exceeded configured timeout of {self._gather_seconds:g}s."
        log.error("error gathering metrics", extra={"fields": {"err": text}})
        self._metrics.count_error("gathering")
        return text_answer(503, text + "\n")

    def _render(
        self,
        request: Request,
        scrape: Scrape,
        gathered: Iterable[Exposed],
    ) -> Response:
        with self._one_at_a_time:
            families = [*gathered, selfmetrics.build_info(self._program)]
            if self._exporter_metrics:
                families += process_metrics.own().collect()
                families += self._metrics.collect()
            problems: list[str] = []
            names = scrape.query.get("name[]")
            response = metrics_answer(
                request, families, problems, names=names, openmetrics=self.openmetrics
            )
            if problems:
                self._metrics.count_error("gathering")
            return response


def _expire(deadline: asyncio.Timeout) -> None:
    """Let *deadline* be now."""
    deadline.reschedule(asyncio.get_running_loop().time())


def metrics_answer(
    request: Request,
    families: Iterable[Exposed],
    problems: list[str],
    *,
    names: Collection[str] | None = None,
    openmetrics: bool = False,
) -> Response:
    """Return *families* in the format and the coding that *request* prefers.

    What cannot be printed is left out, logged and put into *problems*, as promhttp's
    ContinueOnError. *names* and *openmetrics*: see `exposition.encode` and the flag.
    """
    accept = request.headers.get("accept")
    wanted = negotiate(accept, openmetrics=openmetrics)
    encode = encoder(wanted.kind)
    body = encode(families, problems.append, names, wanted.escaping)
    if problems:
        fields = {"err": "; ".join(problems[:10])}
        log.error("error gathering metrics", extra={"fields": fields})
    headers = {"Content-Type": wanted.content_type}
    if wants_gzip(request.headers.getall("accept-encoding")):
        headers["Content-Encoding"] = "gzip"
        body = compress(body)
    return Response(200, headers, body)


def parse_scrape(request: Request) -> Scrape:
    """Return what *request* asks for."""
    header = request.headers.get("x-prometheus-scrape-timeout-seconds")
    if not header:
        return Scrape(request.query)
    try:
        timeout = float(header)
    except ValueError:
        timeout = math.nan
    return Scrape(request.query, timeout if 0 < timeout < math.inf else None)
