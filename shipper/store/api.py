"""HTTP handlers: a request's parts in, Loki's answer out."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from aiohttp import web
from multidict import MultiDict

from shipper.store.config_page import config_page
from shipper.store.index import Index
from shipper.store.push import Pusher
from shipper.store.queries import Queries, refused
from shipper.store.query import render
from shipper.store.query.params import Bounds, parse_bounds
from shipper.store.reader import Readers
from shipper.store.settings import Settings
from shipper.store.tail import Tails
from shipper.store.tailing import TailRequest, follow, wants_categorized
from shipper.store.tenants import tenant_of
from shipper.wire.body import read_body
from shipper.wire.errors import Answer


log = logging.getLogger(__name__)

Self = TypeVar("Self")
_Method = Callable[[Self, web.Request], Awaitable[web.StreamResponse]]

_MAX_FORM_BYTES: Final = 1 << 20
_TOO_LONG: Final = "the query has too many operations in a row for this store"
_NOSNIFF: Final = {"X-Content-Type-Options": "nosniff"}
# Grafana looks at the version to know what it may ask for.
_BUILD: Final = {
    "version": "3.4.6",
    "revision": "",
    "branch": "shipper.store",
    "buildUser": "",
    "buildDate": "",
    "goVersion": "",
}


def answering(method: _Method[Self]) -> _Method[Self]:
    """Turn an Answer raised by *method* into Loki's plain text response."""

    @functools.wraps(method)
    async def handle(self: Self, request: web.Request) -> web.StreamResponse:
        try:
            return await method(self, request)
        except Answer as answer:
            return web.Response(
                status=answer.status, text=answer.text, headers=_NOSNIFF
            )
        except RecursionError:  # 1+1+1+... is a tree as deep as it is long
            return web.Response(status=400, text=_TOO_LONG, headers=_NOSNIFF)

    return handle


class Api:
    """The handlers of one store."""

    max_form: Final = _MAX_FORM_BYTES

    def __init__(  # noqa: PLR0917 -- the parts, put together once
        self,
        settings: Settings,
        pusher: Pusher,
        queries: Queries,
        index: Index,
        tails: Tails,
        readers: Readers,
    ) -> None:
        self._settings = settings
        self._pusher = pusher
        self._queries = queries
        self._index = index
        self._tails = tails
        self._readers = readers

    @answering
    async def push(self, request: web.Request) -> web.StreamResponse:
        """Store a push; 204 says that all of it is on the disk."""
        try:
            tenant = self._tenant(request)
            body = await read_body(request, self._settings.limits.max_body_bytes)
            kind = request.headers.get("Content-Type", "")
            await self._pusher.push(tenant, body, kind)
        except Answer as answer:
            raise Answer(answer.status, f"{answer.text}\n") from None  # http.Error
        return web.Response(status=204)

    @answering
    async def query_range(self, request: web.Request) -> web.StreamResponse:
        """Answer a log or metric query over a range."""
        tenant, form = self._tenant(request), await _form(request)
        categorize = wants_categorized(request)
        return _json(await self._queries.range(tenant, form, categorize=categorize))

    @answering
    async def query(self, request: web.Request) -> web.StreamResponse:
        """Answer a metric query at one time."""
        tenant, form = self._tenant(request), await _form(request)
        return _json(await self._queries.instant(tenant, form))

    @answering
    async def labels(self, request: web.Request) -> web.StreamResponse:
        """Answer with the label names."""
        tenant, form = self._tenant(request), await _form(request)
        query = form.get("query", "")
        return _strings(await self._index.names(tenant, self._bounds(form), query))

    @answering
    async def label_values(self, request: web.Request) -> web.StreamResponse:
        """Answer with the values of one label."""
        tenant, form = self._tenant(request), await _form(request)
        name, query = request.match_info["name"], form.get("query", "")
        bounds = self._bounds(form)
        return _strings(await self._index.values(tenant, bounds, query, name))

    @answering
    async def series(self, request: web.Request) -> web.StreamResponse:
        """Answer with the label sets of the streams."""
        tenant, form = self._tenant(request), await _form(request)
        groups = sorted({*form.getall("match", []), *form.getall("match[]", [])})
        bounds = self._bounds(form)
        return _json(render.plain(await self._index.series(tenant, bounds, groups)))

    @answering
    async def index_stats(self, request: web.Request) -> web.StreamResponse:
        """Answer how much a selector holds."""
        tenant, form = self._tenant(request), await _form(request)
        query, bounds = form.get("query", ""), self._bounds(form)
        stats = await self._index.stats(tenant, bounds, query)
        return _json(render.dumps(stats._asdict()))

    @answering
    async def tail(self, request: web.Request) -> web.StreamResponse:
        """Follow the lines of a log query over a websocket."""
        tenant, now = self._tenant(request), self._settings.clock()
        most = self._settings.limits.max_entries
        asked = TailRequest(request.query, now, most)
        return await follow(request, tenant, asked, self._tails, self._readers)

    async def buildinfo(self, request: web.Request) -> web.StreamResponse:
        """Answer with the Loki version whose API this is."""
        del request
        return _json(render.dumps(_BUILD))

    async def config(self, request: web.Request) -> web.StreamResponse:
        """Answer with the limits, as Loki shows its configuration."""
        del request
        return web.Response(text=config_page(self._settings))

    async def ready(self, request: web.Request) -> web.StreamResponse:
        """Answer ready, or 503 with the reason."""
        del request
        reason = self.not_ready()
        text = "ready\n" if reason is None else f"{reason}\n"
        return web.Response(status=200 if reason is None else 503, text=text)

    def not_ready(self) -> str | None:
        """Return why the last push was not stored, None when all is well."""
        return self._pusher.failing

    async def stop(self, app: web.Application) -> None:
        """End the tails, so that nothing holds the server up."""
        del app
        self._tails.close()

    def _tenant(self, request: web.Request) -> str:
        return tenant_of(request, auth_enabled=self._settings.auth_enabled)

    def _bounds(self, form: MultiDict[str]) -> Bounds:
        return refused(parse_bounds, form, self._settings.clock())


async def _form(request: web.Request) -> MultiDict[str]:
    """Return the form of the body and of the URL, the body's values first."""
    form: MultiDict[str] = MultiDict()
    if request.method == "POST":
        try:
            posted = await request.post()
        except (ValueError, web.HTTPRequestEntityTooLarge):
            raise Answer(
                400, "http: request body is not a form, or too large"
            ) from None
        form.extend((k, v) for k, v in posted.items() if isinstance(v, str))
    form.extend(request.query)
    return form


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json", charset="UTF-8")


def _strings(found: list[str]) -> web.Response:
    """Answer with *found*; Loki leaves an empty list out."""
    if not found:
        return _json(render.dumps({"status": "success"}))
    return _json(render.plain(found))
