"""The HTTP routes, and the store put together. No logic of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from prometheus_client import Metric

from exporters.toolkit.errors import StartError
from exporters.toolkit.web import Scrape, metrics_handler
from shipper.store import retention
from shipper.store.api import Api
from shipper.store.index import Index
from shipper.store.ingest import Ingester
from shipper.store.lock import FileLock
from shipper.store.metrics import StoreMetrics
from shipper.store.push import Pusher
from shipper.store.queries import Queries
from shipper.store.reader import Readers
from shipper.store.retention import Retention
from shipper.store.schema import open_writer
from shipper.store.settings import Settings
from shipper.store.tail import Tails
from shipper.store.writer import Writer
from shipper.wire.webserver import Handler, adapted, add_health, answer_errors, serve


Serve = Callable[[web.Application, asyncio.Event], Awaitable[None]]


async def run(
    settings: Settings, stop: asyncio.Event, serving: Serve | None = None
) -> None:
    """Serve the store until *stop* is set, then store what waits and close the file.

    *serving* replaces the listening (tests). Raises StartError: the file cannot be
    used or an address not be listened on.
    """
    with contextlib.ExitStack() as stack:
        connection = open_writer(settings.path)
        stack.callback(connection.close)
        stack.callback(FileLock(settings.path).release)
        ingester = Ingester(connection, settings.limits, settings.clock)
        tails = Tails(settings.limits.max_tails, settings.clock)
        writer = Writer(ingester, tails.publish)
        stack.callback(writer.stop_thread)
        cleaner = Retention(connection, ingester, settings.policy, settings.clock)
        readers = Readers(settings.path, settings.limits.query_timeout_ns)
        stack.callback(readers.close)
        metrics = StoreMetrics()
        metrics.watch(settings.path, lambda: ingester.streams)
        pusher = Pusher(writer, settings.limits, metrics, settings.clock)
        stack.callback(pusher.close)
        queries = Queries(readers, settings.limits, settings.clock)
        api = Api(settings, pusher, queries, Index(readers), tails, readers)
        app = application(api, metrics)

        async def listen() -> None:
            await (serving or _listen(settings))(app, stop)

        await _together(listen, writer, cleaner, metrics)


async def _together(
    listen: Callable[[], Awaitable[None]],
    writer: Writer,
    cleaner: Retention,
    metrics: StoreMetrics,
) -> None:
    """Listen; beside it write and clean up, a little longer than it listens."""
    done = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(writer.run())
            note: Callable[[int], None] = metrics.deleted.inc
            tasks.create_task(retention.keep(cleaner, writer, done, note))
            try:
                await listen()
            finally:
                done.set()
                writer.close()
    except BaseExceptionGroup as group:
        starting, _ = group.split(StartError)
        if starting is not None:
            raise starting.exceptions[0] from None
        raise


def _listen(settings: Settings) -> Serve:
    return lambda app, stop: serve(app, settings.listen, stop)


def application(api: Api, metrics: StoreMetrics) -> web.Application:
    """Return the routes of Loki that the store has."""
    app = web.Application(middlewares=[answer_errors], client_max_size=api.max_form)

    async def gather(_: Scrape) -> Iterable[Metric]:
        return metrics.collect()

    metrics_page = adapted(metrics_handler(gather, program="log_store"))
    add_health(app, "store", api.not_ready)
    both = ("GET", "POST")
    routes: list[tuple[tuple[str, ...], str, Handler]] = [
        (("POST",), "/loki/api/v1/push", api.push),
        (("POST",), "/api/prom/push", api.push),
        (both, "/loki/api/v1/query_range", api.query_range),
        (both, "/loki/api/v1/query", api.query),
        (both, "/loki/api/v1/labels", api.labels),
        (both, "/loki/api/v1/label", api.labels),
        (both, "/loki/api/v1/label/{name}/values", api.label_values),
        (both, "/loki/api/v1/series", api.series),
        (both, "/loki/api/v1/index/stats", api.index_stats),
        (("GET",), "/loki/api/v1/tail", api.tail),
        (("GET",), "/loki/api/v1/status/buildinfo", api.buildinfo),
        (("GET",), "/config", api.config),
        (("GET",), "/ready", api.ready),
        (("GET",), "/metrics", metrics_page),
    ]
    for methods, path, handler in routes:
        for method in methods:
            app.router.add_route(method, path, handler)
    app.on_shutdown.append(api.stop)
    return app
