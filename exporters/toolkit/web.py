"""Serve /metrics, a landing page and health checks over HTTP.

Upstream counterpart: exporter-toolkit ``web``. The health checks are ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from . import sdnotify
from .flags import Flag, boolean, integer, string, strings
from .landing import landing_page
from .listen import format_address, open_listener
from .promhttp import (
    GATHER_SECONDS,
    Gather,
    Handler,
    Scrape,
    ScrapeRefused,
    metrics_handler,
    text_answer,
)


__all__ = [
    "DISABLE_EXPORTER_METRICS",
    "GATHER_SECONDS",
    "MAX_REQUESTS",
    "Gather",
    "Handler",
    "Ready",
    "Scrape",
    "ScrapeRefused",
    "add_health",
    "answer_errors",
    "drop_server_header",
    "exporter_app",
    "listen_address",
    "metrics_handler",
    "protocol_log",
    "serve",
    "telemetry_path",
]

log = logging.getLogger(__name__)

# A scraper sends a few hundred bytes; these bounds are for everyone else.
_MAX_LINE_BYTES = 8190
_MAX_FIELD_BYTES = 8190
_MAX_BODY_BYTES = 64 * 1024
# An idle connection, and one that has not finished its request, is closed after
# this; Prometheus scrapes at least once a minute over the same connection.
_IDLE_SECONDS = 120.0
# Twice this is what aiohttp gives requests still being served at a stop.
_STOP_SECONDS = 1.5

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


Ready = Callable[[], str | None]


def always_ready() -> str | None:
    """Return no reason not to be ready."""
    return None


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
    app.on_response_prepare.append(drop_server_header)
    return app


async def drop_server_header(_: web.Request, response: web.StreamResponse) -> None:
    """Keep interpreter and library versions to ourselves; Go sends no such header."""
    response.headers.pop(hdrs.SERVER, None)


def add_health(app: web.Application, name: str, ready: Ready) -> None:
    """Add ``/-/healthy`` and ``/-/ready`` to *app*."""

    async def healthy(_: web.Request) -> web.Response:
        return text_answer(200, f"{name} is Healthy.\n")

    async def is_ready(_: web.Request) -> web.Response:
        reason = ready()
        if reason is None:
            return text_answer(200, f"{name} is Ready.\n")
        return text_answer(503, f"{reason}\n")

    app.router.add_route("*", "/-/healthy", healthy)
    app.router.add_route("*", "/-/ready", is_ready)


def _page_handler(page: str) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html", charset="utf-8")

    return handle


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors as Go's server words them, and log what was not foreseen."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return text_answer(404, "404 page not found\n")
    except web.HTTPException:
        raise
    except Exception:
        fields = {"path": request.path}
        log.exception("error serving request", extra={"fields": fields})
        return text_answer(500, "Internal Server Error\n")


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
            logger=protocol_log(__name__),
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        for sock in sockets:
            await web.SockSite(runner, sock).start()
            _log_listening(format_address(sock))
        sdnotify.notify("READY=1")
        await stop.wait()


def protocol_log(name: str) -> logging.Logger:
    """Return the logger of a server in module *name* for what aiohttp says of clients.

    What is wrong with their requests is not said unless debugging.
    """
    logger = logging.getLogger(f"{name}.protocol")
    logger.addFilter(_without_bad_requests)  # adds it once
    return logger


def _without_bad_requests(record: logging.LogRecord) -> bool:
    """Keep quiet, as Go is, about clients that do not speak HTTP."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError) or log.isEnabledFor(logging.DEBUG)


def _log_listening(address: str) -> None:
    log.info("Listening on", extra={"fields": {"address": address}})
    log.info("TLS is disabled.", extra={"fields": {"http2": False, "address": address}})
