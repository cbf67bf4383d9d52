"""Serve /metrics, a landing page and health checks over HTTP.

Upstream counterparts: exporter-toolkit ``web`` (listening, landing page) and
client_golang ``promhttp`` (the metrics handler). The health checks are ours.
"""

from __future__ import annotations

import asyncio
import html
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import Metric

from . import sdnotify, selfmetrics, version
from .exposition import CONTENT_TYPE, compress, encode, wants_gzip
from .flags import Flag, boolean, integer, string, strings
from .listen import format_address, open_listener
from .logs import describe


log = logging.getLogger(__name__)
# What aiohttp has to say about connections.
_protocol_log = logging.getLogger(f"{__name__}.protocol")

# A scraper sends a few hundred bytes; these bounds are for everyone else.
_MAX_LINE_BYTES = 8190
_MAX_FIELD_BYTES = 8190
_MAX_BODY_BYTES = 64 * 1024
# An idle connection, and one that has not finished its request, is closed after
# this; Prometheus scrapes at least once a minute over the same connection.
_IDLE_SECONDS = 120.0
# Twice this is what aiohttp gives requests still being served at a stop.
_STOP_SECONDS = 1.5
# A gather that takes longer is answered 503 (promhttp HandlerOpts.Timeout).
GATHER_SECONDS = 60.0

MAX_REQUESTS = integer(
    "web.max-requests",
    "Maximum number of parallel scrape requests. Use 0 to disable.",
    default=40,
)
DISABLE_EXPORTER_METRICS = boolean(
    "web.disable-exporter-metrics",
    "Exclude metrics about the exporter itself (promhttp_*, process_*, go_*).",
)


def telemetry_path(env: str | None = None) -> Flag[str]:
    """Return the flag for the path of the metrics."""
    return string(
        "web.telemetry-path",
        "Path under which to expose metrics.",
        default="/metrics",
        env=env,
    )


def listen_address(default: str, env: str | None = None) -> Flag[tuple[str, ...]]:
    """Return the repeatable flag for the addresses to listen on."""
    return strings(
        "web.listen-address",
        "Addresses on which to expose metrics and web interface. Repeatable for "
        "multiple addresses. Examples: `:9100` or `[::1]:9100` for http",
        default=(default,),
        env=env,
    )


@dataclass(frozen=True, slots=True)
class Scrape:
    """One request for the metrics."""

    query: Mapping[str, Sequence[str]]
    timeout_seconds: float | None = None


class ScrapeRefused(Exception):  # noqa: N818 -- an answer to the client, not a fault
    """Answer 400 with this text."""


Gather = Callable[[Scrape], Awaitable[Iterable[Metric]]]
Ready = Callable[[], str | None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def always_ready() -> str | None:
    """Return no reason not to be ready."""
    return None


def metrics_handler(
    gather: Gather,
    *,
    program: str,
    max_requests: int = 40,
    exporter_metrics: bool = True,
    gather_seconds: float = GATHER_SECONDS,
) -> Handler:
    """Return a handler that answers with what *gather* returns.

    ``<program>_build_info`` is added, and with *exporter_metrics* the process_* and
    promhttp_* families too. More than *max_requests* at a time (0: no bound) are
    answered 503. An exception in *gather* is logged and answered 500, and one that
    takes longer than *gather_seconds* is cancelled and answered 503.
    """
    served = _Metrics(gather, program, max_requests, exporter_metrics, gather_seconds)
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
        self._metrics = selfmetrics.HandlerMetrics()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        with self._metrics.request():
            try:
                response = await self._answer(request)
            except ScrapeRefused as refusal:
                # Upstream filters in front of promhttp: not counted there either.
                return _text(400, str(refusal))
            self._metrics.count(response.status)
            return response

    async def _answer(self, request: web.Request) -> web.Response:
        if 0 < self._max_requests < self._metrics.in_flight:
            return _text(
                503,
                f"Limit of concurrent requests reached ({self._max_requests}), "
                "try again later.\n",
            )
        scrape = parse_scrape(request)
        try:
            async with asyncio.timeout(self._gather_seconds) as deadline:
                families = list(await self._gather(scrape))
            return self._render(request, scrape, families)
        except ScrapeRefused:
            raise
        except Exception as error:
            if isinstance(error, TimeoutError) and deadline.expired():
                return self._too_slow()
            log.exception("error gathering metrics")  # one line: see logs.py
            self._metrics.count_error("gathering")
            return _text(
                500,
                f"An error has occurred while serving metrics: {describe(error)}\n",
            )

    def _too_slow(self) -> web.Response:
        text = f"Exceeded configured timeout of {self._gather_seconds:g}s."
        log.error("error gathering metrics", extra={"fields": {"err": text}})
        self._metrics.count_error("gathering")
        return _text(503, text + "\n")

    def _render(
        self,
        request: web.Request,
        scrape: Scrape,
        families: list[Metric],
    ) -> web.Response:
        families.append(selfmetrics.build_info(self._program))
        if self._exporter_metrics:
            families += selfmetrics.process()
            families += self._metrics.collect()
        problems: list[str] = []
        body = encode(families, problems.append, scrape.query.get("name[]"))
        if problems:  # as promhttp's ContinueOnError: drop, log, count, go on
            log.error(
                "error gathering metrics",
                extra={"fields": {"err": "; ".join(problems[:10])}},
            )
            self._metrics.count_error("gathering")
        headers = {hdrs.CONTENT_TYPE: CONTENT_TYPE}
        if wants_gzip(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ()))):
            headers[hdrs.CONTENT_ENCODING] = "gzip"
            body = compress(body)
        return web.Response(body=body, headers=headers)


def parse_scrape(request: web.Request) -> Scrape:
    """Return what *request* asks for."""
    query = {name: request.query.getall(name) for name in request.query}
    header = request.headers.get("X-Prometheus-Scrape-Timeout-Seconds", "")
    try:
        timeout = float(header)
    except ValueError:
        timeout = math.nan
    return Scrape(query, timeout if 0 < timeout < math.inf else None)


def _text(status: int, text: str) -> web.Response:
    """Answer as Go's ``http.Error`` does."""
    headers = {"X-Content-Type-Options": "nosniff"}
    return web.Response(status=status, text=text, headers=headers)


def exporter_app(
    *,
    name: str,
    description: str,
    gather: Gather,
    title: str = "",
    telemetry_path: str = "/metrics",
    ready: Ready = always_ready,
    max_requests: int = 40,
    exporter_metrics: bool = True,
    gather_seconds: float = GATHER_SECONDS,
    header_color: str = "#e6522c",
) -> web.Application:
    """Return the application of an exporter.

    *name* (``node_exporter``) is in front of build_info. *title* (else *name*) and
    *description* are the headings of the landing page, which is left out when
    *telemetry_path* is ``/``. ``/-/ready`` answers 503 with the reason that *ready*
    gives. Any method is served, as upstream does.
    """
    app = web.Application(middlewares=[answer_errors], client_max_size=_MAX_BODY_BYTES)
    path = telemetry_path if telemetry_path.startswith("/") else f"/{telemetry_path}"
    app.router.add_route(
        "*",
        path,
        metrics_handler(
            gather,
            program=name,
            max_requests=max_requests,
            exporter_metrics=exporter_metrics,
            gather_seconds=gather_seconds,
        ),
    )
    if path != "/":
        page = landing_page(title or name, description, path, header_color)
        app.router.add_route("*", "/", _page_handler(page))
    add_health(app, title or name, ready)
    app.on_response_prepare.append(_drop_server_header)
    return app


async def _drop_server_header(_: web.Request, response: web.StreamResponse) -> None:
    """Keep interpreter and library versions to ourselves; Go sends no such header."""
    response.headers.pop(hdrs.SERVER, None)


def add_health(app: web.Application, name: str, ready: Ready) -> None:
    """Add ``/-/healthy`` and ``/-/ready`` to *app*."""

    async def healthy(_: web.Request) -> web.Response:
        return _text(200, f"{name} is Healthy.\n")

    async def is_ready(_: web.Request) -> web.Response:
        reason = ready()
        if reason is None:
            return _text(200, f"{name} is Ready.\n")
        return _text(503, f"{reason}\n")

    app.router.add_route("*", "/-/healthy", healthy)
    app.router.add_route("*", "/-/ready", is_ready)


def _page_handler(page: str) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html", charset="utf-8")

    return handle


def landing_page(name: str, description: str, path: str, color: str) -> str:
    """Return the HTML of ``/``: what runs here, its version, where the metrics are."""
    title = html.escape(name)
    return f"""<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="UTF-8">
    <meta name="viewport" content="width=device-width, initial-scale=1.0">
    <title>{title}</title>
    <style>
      body {{ font-family: system-ui, sans-serif; margin: 0; }}
      header {{ background-color: {html.escape(color)}; color: #fff; padding: 1rem; }}
      main {{ padding: 1rem; }}
    </style>
  </head>
  <body>
    <header><h1>{title}</h1></header>
    <main>
      <h2>{html.escape(description)}</h2>
      <div>Version: {html.escape(version.info())}</div>
      <ul><li><a href="{html.escape(path)}">Metrics</a></li></ul>
    </main>
  </body>
</html>
"""


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors as Go's server words them, and log what was not foreseen."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return _text(404, "404 page not found\n")
    except web.HTTPException:
        raise
    except Exception:
        fields = {"path": request.path}
        log.exception("error serving request", extra={"fields": fields})
        return _text(500, "Internal Server Error\n")


async def serve(
    app: web.Application,
    listen: Sequence[str],
    stop: asyncio.Event,
) -> None:
    """Serve *app* on every address of *listen* until *stop* is set.

    The end is orderly: no new connections, then up to 2 x 1.5 s for the requests being
    served, then what is left is closed. systemd is told when all addresses listen.

    Raises:
        StartError: an address cannot be listened on; none of them is open then.
    """
    async with AsyncExitStack() as stack:
        sockets = [
            stack.enter_context(await open_listener(address)) for address in listen
        ]
        runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            keepalive_timeout=_IDLE_SECONDS,
            lingering_time=1.0,
            max_line_size=_MAX_LINE_BYTES,
            max_field_size=_MAX_FIELD_BYTES,
            shutdown_timeout=_STOP_SECONDS,
            logger=_protocol_log,
        )
        _protocol_log.addFilter(_without_bad_requests)  # adds it once
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        for sock in sockets:
            await web.SockSite(runner, sock).start()
            _log_listening(format_address(sock))
        sdnotify.notify("READY=1")
        await stop.wait()


def _without_bad_requests(record: logging.LogRecord) -> bool:
    """Keep quiet, as Go is, about clients that do not speak HTTP."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError) or log.isEnabledFor(logging.DEBUG)


def _log_listening(address: str) -> None:
    log.info("Listening on", extra={"fields": {"address": address}})
    log.info("TLS is disabled.", extra={"fields": {"http2": False, "address": address}})
