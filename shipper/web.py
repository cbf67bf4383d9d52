"""The shipper's HTTP routes (promtail server/server.go).

``/ready`` ``/metrics`` ``/targets`` ``/service-discovery`` ``/config`` and ``/`` are
promtail's; ``/-/healthy`` and ``/-/ready`` are what the other programs here have.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, Metric

from exporters.toolkit.web import (
    Ready,
    Scrape,
    add_health,
    answer_errors,
    metrics_handler,
)
from shipper.config.server import ServerConfig
from shipper.pipeline.entry import Labels

from .loki.encode import format_labels


@dataclass(frozen=True, slots=True)
class Target:
    """One container that is read, as the pages show it."""

    job: str
    container_id: str
    discovered: Mapping[str, str]
    streams: Mapping[str, Labels]


@dataclass(frozen=True, slots=True)
class View:
    """What the routes look at; each is asked at every request."""

    registry: CollectorRegistry
    ready: Ready
    targets: Callable[[], Iterable[Target]]
    config: str


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def shipper_app(server: ServerConfig, view: View) -> web.Application:
    """Return the application for the settings *server*."""
    prefix = server.http_path_prefix.rstrip("/")
    pages = web.Application()
    ready: Ready = view.ready if server.health_check_target else _always
    pages.router.add_get("/", _redirect(f"{prefix}/targets"))
    pages.router.add_get("/ready", _ready_handler(ready))
    pages.router.add_get("/targets", _page(lambda: targets_page(view.targets())))
    pages.router.add_get(
        "/service-discovery", _page(lambda: discovery_page(view.targets()))
    )
    pages.router.add_get("/config", _page(lambda: config_page(view.config)))
    add_health(pages, "promtail", ready)
    if server.register_instrumentation:
        pages.router.add_get(
            "/metrics", metrics_handler(_gather(view.registry), program="promtail")
        )
    if not prefix:
        pages.middlewares.append(answer_errors)
        return pages
    app = web.Application(middlewares=[answer_errors])
    app.add_subapp(prefix, pages)
    return app


def _always() -> str | None:
    """Be ready: ``health_check_target: false``."""
    return None


def _gather(
    registry: CollectorRegistry,
) -> Callable[[Scrape], Awaitable[Iterable[Metric]]]:
    async def gather(_: Scrape) -> Iterable[Metric]:
        return list(registry.collect())

    return gather


def _ready_handler(ready: Ready) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        reason = ready()
        if reason is None:
            return web.Response(text="Ready")
        return web.Response(status=500, text=f"Not ready: {reason}\n")

    return handle


def _redirect(target: str) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        raise web.HTTPSeeOther(target)

    return handle


def _page(render: Callable[[], str]) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text=render(), content_type="text/html", charset="utf-8")

    return handle


def targets_page(targets: Iterable[Target]) -> str:
    """Return the HTML of ``/targets``: what is read, as which streams."""
    rows = [
        (target.job, _name(target), target.container_id[:12], name, format_labels(lbs))
        for target in targets
        for name, lbs in sorted(target.streams.items())
    ]
    return _table(
        "Targets", ("Job", "Container", "ID", "Stream", "Labels"), sorted(rows)
    )


def discovery_page(targets: Iterable[Target]) -> str:
    """Return the HTML of ``/service-discovery``: labels before and after the rules."""
    rows = [
        (
            target.job,
            format_labels(tuple(sorted(target.discovered.items()))),
            "; ".join(format_labels(lbs) for lbs in target.streams.values()),
        )
        for target in targets
    ]
    return _table(
        "Service Discovery", ("Job", "Discovered labels", "Target labels"), sorted(rows)
    )


def config_page(text: str) -> str:
    """Return the HTML of ``/config``."""
    return _document("Config", f"<pre>{html.escape(text)}</pre>")


def _name(target: Target) -> str:
    return target.discovered.get("__meta_docker_container_name", "").lstrip("/")


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    def row(cells: Iterable[str], tag: str) -> str:
        inner = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
        return f"<tr>{inner}</tr>"

    body = "\n".join([row(head, "th"), *(row(cells, "td") for cells in rows)])
    return _document(title, f"<table>\n{body}\n</table>")


def _document(title: str, body: str) -> str:
    links = " ".join(
        f'<a href="{path}">{path}</a>'
        for path in ("targets", "service-discovery", "config", "metrics", "ready")
    )
    return f"""<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="UTF-8">
    <title>{title} - shipper</title>
    <style>
      body {{ font-family: system-ui, sans-serif; margin: 1rem; }}
      th, td {{ text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }}
      td, pre {{ font-family: monospace; overflow-wrap: anywhere; }}
    </style>
  </head>
  <body>
    <nav>{links}</nav>
    <h1>{title}</h1>
    {body}
  </body>
</html>
"""
