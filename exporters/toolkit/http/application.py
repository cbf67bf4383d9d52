"""Which handler answers which path (net/http ``ServeMux``), and what else it takes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from .connection import Handler
from .redirect import redirect
from .request import Request
from .response import Response, text_answer
from .target import clean_path, escape_path


log = logging.getLogger(__name__)

Middleware = Callable[[Request, Handler], Awaitable[Response]]


class Application:
    """Handlers by path; any method is served, as upstream does."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._trees: dict[str, Handler] = {}
        self._handle: Handler = self._route

    def add(self, path: str, handler: Handler) -> None:
        """Serve *path* with *handler*."""
        self._handlers[path] = handler

    def add_tree(self, path: str, handler: Handler) -> None:
        """Serve *path*, which has a slash at its end, and all below that is not added.

        Who leaves the slash out is sent to it.
        """
        self._trees[path] = handler

    def wrap(self, middleware: Middleware) -> None:
        """Let requests pass *middleware* before those that are there."""
        self._handle = partial(_through, middleware, self._handle)

    def __contains__(self, path: str) -> bool:
        """Tell whether *path* was added."""
        return path in self._handlers or path in self._trees

    def route(self, path: str) -> str | None:
        """Return what was added and serves *path*; None if nothing does."""
        if path in self._handlers:
            return path
        fitting = [tree for tree in self._trees if path.startswith(tree)]
        return max(fitting, key=len, default=None)

    async def answer(self, request: Request) -> Response:
        """Answer *request*; what nobody foresaw is logged and a 500."""
        try:
            return await self._handle(request)
        except Exception:
            fields = {"path": request.path}
            log.exception("error serving request", extra={"fields": fields})
            return text_answer(500, "Internal Server Error\n")

    async def _route(self, request: Request) -> Response:
        handler = self._handlers.get(request.path)
        if handler is not None:
            return await handler(request)
        clean = self._clean(request)
        if clean != request.path:
            return redirect(request, escape_path(clean))
        route = self.route(request.path)
        if route is None:
            return text_answer(404, "404 page not found\n")
        return await self._trees[route](request)

    def _clean(self, request: Request) -> str:
        """Return what *request* should ask for, as Go's mux has it."""
        if request.method == "CONNECT":
            return request.path
        clean = clean_path(request.path)
        tree = f"{clean}/"
        return tree if tree in self._trees and clean not in self._handlers else clean


async def _through(
    middleware: Middleware, handler: Handler, request: Request
) -> Response:
    return await middleware(request, handler)
