"""Serve /metrics, a landing page and health checks over HTTP.

Upstream counterpart: exporter-toolkit ``web``. The health checks are ours.
"""

from __future__ import annotations

import html
import logging
import posixpath
from collections.abc import Callable

from aiohttp import hdrs, web

from .flags import Flag, boolean, integer, string
from .landing import landing_page
from .promhttp import (
    GATHER_SECONDS,
    Gather,
    Handler,
    Scrape,
    ScrapeRefused,
    metrics_handler,
    text_answer,
)
from .serving import protocol_log, serve


__all__ = [
    "DISABLE_EXPORTER_METRICS",
    "ENABLE_OPENMETRICS",
    "GATHER_SECONDS",
    "MAX_REQUESTS",
    "Gather",
    "Handler",
    "Ready",
    "Scrape",
    "ScrapeRefused",
    "add_health",
    "answer_errors",
    "config_file",
    "drop_server_header",
    "exporter_app",
    "listen_address",
    "metrics_handler",
    "protocol_log",
    "serve",
    "systemd_socket",
    "telemetry_path",
]

log = logging.getLogger(__name__)

_MAX_BODY_BYTES = 64 * 1024

MAX_REQUESTS = integer(
    "web.max-requests",
    "Maximum number of parallel scrape requests. Use 0 to disable.",
    default=40,
)
DISABLE_EXPORTER_METRICS = boolean(
    "web.disable-exporter-metrics",
    "Exclude metrics about the exporter itself (promhttp_*, process_*, go_*).",
)


# Ours. Off because a Prometheus that prefers OpenMetrics would find the metadata of
# counters under other names than those that node_exporter gives them.
ENABLE_OPENMETRICS = boolean(
    "web.enable-openmetrics",
    "Answer in OpenMetrics to those that prefer it, as Prometheus does. Those that take"
    " nothing else always get it.",
)


def telemetry_path(env: str | None = None) -> Flag[str]:
    """Return the flag for the path of the metrics."""
    return string(
        "web.telemetry-path",
        "Path under which to expose metrics.",
        default="/metrics",
        env=env,
    )


def systemd_socket(env: str | None = None) -> Flag[bool]:
    """Return the flag for the sockets of systemd."""
    return boolean(
        "web.systemd-socket",
        "Use systemd socket activation listeners instead of port listeners (Linux"
        " only).",
        env=env,
    )


def listen_address(default: str, env: str | None = None) -> Flag[tuple[str, ...]]:
    """Return the repeatable flag for the addresses to listen on."""
    return Flag(
        "web.listen-address",
        "Addresses on which to expose metrics and web interface. Repeatable for "
        "multiple addresses. Examples: `:9100` or `[::1]:9100` for http, "
        "`vsock://:9100` for vsock",
        (default,),
        str,
        env,
        repeatable=True,
        hints=(default,),
    )


def config_file(env: str | None = None) -> Flag[str]:
    """Return the flag for the file that configures TLS and authentication."""
    return string(
        "web.config.file",
        "Path to configuration file that can enable TLS or authentication. See: "
        "https://github.com/prometheus/exporter-toolkit/blob/master/docs/"
        "web-configuration.md",
        env=env,
        placeholder='""',
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
    openmetrics: bool = False,
    header_color: str = "#e6522c",
) -> web.Application:
    """Return the application of an exporter.

    *name* (``node_exporter``) is in front of build_info. *title* (else *name*) and
    *description* are the headings of the landing page, which is left out when
    *telemetry_path* is ``/``. ``/-/ready`` answers 503 with the reason that *ready*
    gives. Any method is served, as upstream does. *openmetrics*: see the flag.
    """
    app = web.Application(
        middlewares=[answer_errors, redirect_to_clean_path],
        client_max_size=_MAX_BODY_BYTES,
    )
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
            openmetrics=openmetrics,
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
async def redirect_to_clean_path(
    request: web.Request, handler: Handler
) -> web.StreamResponse:
    """Send who asks for ``//metrics`` to ``/metrics``, as Go's ServeMux does."""
    clean = clean_path(request.path)
    if clean == request.path or not request.path.startswith("/"):
        return await handler(request)
    target = str(request.rel_url.with_path(clean, keep_query=True))
    page = f'<a href="{html.escape(target)}">Moved Permanently</a>.\n\n'
    headers = {hdrs.LOCATION: target}
    return web.Response(
        status=301, text=page, headers=headers, content_type="text/html"
    )


def clean_path(path: str) -> str:
    """Return *path* without ``//``, ``.`` and ``..``; a slash at its end stays."""
    clean = "/" + posixpath.normpath(path).lstrip("/")
    if path.endswith("/") and clean != "/":
        clean += "/"
    return clean


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
