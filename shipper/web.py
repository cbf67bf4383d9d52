"""The shipper's HTTP routes (promtail server/server.go).

``/`` ``/ready`` ``/targets`` ``/service-discovery`` ``/config`` ``/metrics`` and
``/reload`` are promtail's; ``/-/healthy`` and ``/-/ready`` are what the other programs
here have. Any method is served, as promtail does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry

from exporters.toolkit.http.redirect import redirect
from exporters.toolkit.http.response import text_response
from exporters.toolkit.web import (
    Application,
    Handler,
    Ready,
    Request,
    Response,
    Scrape,
    add_health,
    metrics_handler,
    text_answer,
)
from shipper.config.server import ServerConfig

from .instrument import HttpMetrics
from .pages.answer import html_answer, json_answer, json_wanted
from .pages.config import config_page
from .pages.discovery import discovery_page
from .pages.document import Frame
from .pages.plain import discovery_value, targets_value
from .pages.state import jobs_of
from .pages.targets import targets_page
from .source import Target


Reload = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class View:
    """What the routes look at; each is asked at every request.

    *reload* returns why the configuration could not be loaded again, or None;
    *connections* how many there are to this server.
    """

    registry: CollectorRegistry
    ready: Ready
    targets: Callable[[], Iterable[Target]]
    config: Callable[[], str]
    reload: Reload | None = None
    connections: Callable[[], int] = int


def shipper_app(server: ServerConfig, view: View) -> Application:
    """Return the application for the settings *server*; one for each registry."""
    app = Application()
    _add_routes(app, server, view)
    if server.register_instrumentation:
        measured = HttpMetrics(view.registry, view.connections)
        app.wrap(measured.middleware(app.route))
    return app


def _add_routes(app: Application, server: ServerConfig, view: View) -> None:
    ready: Ready = view.ready if server.health_check_target else _always
    pages = _Pages(view, ready, metrics=server.register_instrumentation)
    prefix = server.http_path_prefix.rstrip("/")

    def add(path: str, handler: Handler) -> None:
        app.add(prefix + path, handler)

    add("/", _redirect(_external_path(server) + "/targets"))
    add("/ready", pages.ready)
    add("/targets", pages.targets)
    add("/service-discovery", pages.discovery)
    add("/config", pages.config)
    add_health(app, "promtail", ready, prefix)
    if server.register_instrumentation:
        add("/metrics", metrics_handler(_gather(view.registry), program="promtail"))
    if server.enable_runtime_reload and view.reload:
        add("/reload", _reload_handler(view.reload))


class _Pages:
    """The pages, each as HTML and as JSON."""

    def __init__(self, view: View, ready: Ready, *, metrics: bool) -> None:
        self._view = view
        self._ready = ready
        self._metrics = metrics

    async def ready(self, request: Request) -> Response:
        reason = self._ready()
        status = 200 if reason is None else 500
        if json_wanted(request):
            value = {"ready": reason is None, "reason": reason or ""}
            return json_answer(value, status)
        if reason is None:
            return text_response("Ready")
        return text_answer(status, f"Not ready: {reason}\n")

    async def targets(self, request: Request) -> Response:
        jobs = jobs_of(self._view.targets())
        if json_wanted(request):
            return json_answer(targets_value(jobs, self._ready()))
        return html_answer(targets_page(jobs, self._frame()))

    async def discovery(self, request: Request) -> Response:
        jobs = jobs_of(self._view.targets())
        if json_wanted(request):
            return json_answer(discovery_value(jobs))
        return html_answer(discovery_page(jobs, self._frame()))

    async def config(self, request: Request) -> Response:
        text = self._view.config()
        if json_wanted(request):
            return json_answer({"yaml": text})
        return html_answer(config_page(text, self._frame()))

    def _frame(self) -> Frame:
        return Frame(self._ready(), metrics=self._metrics)


def _always() -> str | None:
    """Be ready: ``health_check_target: false``."""
    return None


def _gather(
    registry: CollectorRegistry,
) -> Callable[[Scrape], Awaitable[Iterable[Metric]]]:
    async def gather(_: Scrape) -> Iterable[Metric]:
        return list(registry.collect())

    return gather


def _external_path(server: ServerConfig) -> str:
    """Return what is in front of the routes for a browser: the proxy's path, ours."""
    try:
        path = urlsplit(server.external_url).path
    except ValueError:
        path = ""
    outside = quote(path, safe="/%:@!$&'()*+,;=~").rstrip("/")
    return outside + server.http_path_prefix.rstrip("/")


def _redirect(target: str) -> Handler:
    async def handle(request: Request) -> Response:
        return redirect(request, target, 303)

    return handle


def _reload_handler(reload: Reload) -> Handler:
    """Return the handler that loads the configuration again, once at a time."""
    one_at_a_time = asyncio.Lock()

    async def handle(request: Request) -> Response:
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            # Someone else's page makes a browser ask; curl sends no such header.
            return text_answer(403, "Forbidden\n")
        async with one_at_a_time:
            error = await reload()
        if error is None:
            return Response()
        return text_answer(500, f"failed to reload config: {error}\n")

    return handle
