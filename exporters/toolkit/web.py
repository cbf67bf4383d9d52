"""Serve /metrics, a landing page and health checks over HTTP.

Upstream counterpart: exporter-toolkit ``web``. The health checks are ours.
"""

from __future__ import annotations

from collections.abc import Callable

from .flags import Flag, boolean, integer, string
from .http.application import Application
from .http.connection import Handler
from .http.request import Request
from .http.response import Response, text_answer
from .promhttp import (
    GATHER_SECONDS,
    Gather,
    Scrape,
    ScrapeRefused,
    Through,
    metrics_handler,
)
from .serving import serve


__all__ = [
    "DISABLE_EXPORTER_METRICS",
    "ENABLE_OPENMETRICS",
    "GATHER_SECONDS",
    "MAX_REQUESTS",
    "Application",
    "Gather",
    "Handler",
    "Ready",
    "Request",
    "Response",
    "Scrape",
    "ScrapeRefused",
    "add_health",
    "config_file",
    "exporter_app",
    "listen_address",
    "metrics_handler",
    "serve",
    "systemd_socket",
    "telemetry_path",
    "text_answer",
]

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
    through: Through | None = None,
    header_color: str = "#e6522c",
) -> Application:
    """Return the application of an exporter.

    *name* (``node_exporter``) is in front of build_info. *title* (else *name*) and
    *description* are the headings of the landing page, which is left out when
    *telemetry_path* is ``/``. ``/-/ready`` answers 503 with the reason that *ready*
    gives. Any method is served, as upstream does. *openmetrics*: see the flag;
    *through*: see `metrics_handler`.
    """
    app = Application()
    path = telemetry_path if telemetry_path.startswith("/") else f"/{telemetry_path}"
    handler = metrics_handler(
        gather,
        program=name,
        max_requests=max_requests,
        exporter_metrics=exporter_metrics,
        gather_seconds=gather_seconds,
        openmetrics=openmetrics,
        through=through,
    )
    (app.add_tree if path.endswith("/") else app.add)(path, handler)
    if path != "/":
        app.add("/", _landing(title or name, description, path, header_color))
    add_health(app, title or name, ready)
    return app


def add_health(app: Application, name: str, ready: Ready, prefix: str = "") -> None:
    """Add ``/-/healthy`` and ``/-/ready`` to *app*, behind *prefix*."""

    async def healthy(_: Request) -> Response:
        return text_answer(200, f"{name} is Healthy.\n")

    async def is_ready(_: Request) -> Response:
        reason = ready()
        if reason is None:
            return text_answer(200, f"{name} is Ready.\n")
        return text_answer(503, f"{reason}\n")

    app.add(f"{prefix}/-/healthy", healthy)
    app.add(f"{prefix}/-/ready", is_ready)


def _landing(name: str, description: str, path: str, color: str) -> Handler:
    headers = {"Content-Type": "text/html; charset=UTF-8"}

    async def handle(_: Request) -> Response:
        # Made when asked for: `html` is 0.9 MiB, and a browser comes by rarely.
        from .landing import landing_page  # noqa: PLC0415

        page = landing_page(name, description, path, color)
        return Response(200, dict(headers), page.encode())

    return handle
