"""aiohttp's server, for what the toolkit's own does not do: web sockets, large bodies.

The toolkit's handlers (health, metrics) stand in it, too, and its sockets in front.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from exporters.toolkit.http.application import Application
from exporters.toolkit.http.connection import Handler as ToolkitHandler
from exporters.toolkit.http.request import Headers, Request
from exporters.toolkit.serving import serve_with
from exporters.toolkit.web import Ready, add_health as add_toolkit_health


log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MAX_LINE_BYTES: Final = 8190
_IDLE_SECONDS: Final = 120.0
# aiohttp gives requests still being served twice this at a stop.
_STOP_SECONDS: Final = 1.5


async def serve(
    app: web.Application, listen: Sequence[str], stop: asyncio.Event
) -> None:
    """Serve *app* on every address of *listen* until *stop* is set.

    Raises:
        StartError: an address cannot be listened on, and none is open then.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=_IDLE_SECONDS,
        lingering_time=1.0,
        max_line_size=_MAX_LINE_BYTES,
        max_field_size=_MAX_LINE_BYTES,
        shutdown_timeout=_STOP_SECONDS,
        logger=protocol_log(__name__),
    )
    await runner.setup()
    await serve_with(_Backend(runner), listen, stop)


class _Backend:
    """An application as the toolkit serves it."""

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner

    def __call__(self) -> asyncio.BaseProtocol:
        assert self._runner.server is not None  # it was set up
        return self._runner.server()

    async def close(self) -> None:
        await self._runner.cleanup()


def adapted(handler: ToolkitHandler) -> Handler:
    """Return *handler* of the toolkit as one of aiohttp's."""

    async def handle(request: web.Request) -> web.StreamResponse:
        headers: dict[str, list[str]] = {}
        for name, value in request.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        asked = Request(request.method, request.path_qs, Headers(headers))
        answer = await handler(asked)
        return web.Response(
            status=answer.status, headers=answer.headers, body=answer.body
        )

    return handle


def add_health(app: web.Application, name: str, ready: Ready) -> None:
    """Add ``/-/healthy`` and ``/-/ready`` to *app*."""
    health = Application()
    add_toolkit_health(health, name, ready)
    for path in ("/-/healthy", "/-/ready"):
        app.router.add_route("*", path, adapted(health.answer))


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


def text_answer(status: int, text: str) -> web.Response:
    """Return *text* as Go's ``http.Error`` answers it."""
    headers = {"X-Content-Type-Options": "nosniff"}
    return web.Response(status=status, text=text, headers=headers)


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
