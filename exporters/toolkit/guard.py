"""Stand in front of every request: rate limit, extra headers, who may come in.

Upstream counterpart: exporter-toolkit ``handler.go``, ServeHTTP.
"""

from __future__ import annotations

import logging

from .basic_auth import BasicAuth, parse_basic
from .config_file import ConfigFile
from .errors import StartError
from .http.connection import Handler
from .http.request import Request
from .http.response import Response, text_answer
from .rate_limit import RateLimiter
from .webconfig import Config


log = logging.getLogger(__name__)


class Guard:
    """Asks the file at each request; the rate limit is that of the start."""

    def __init__(self, file: ConfigFile, limiter: RateLimiter | None) -> None:
        self._file = file
        self._limiter = limiter
        self._auth = BasicAuth()

    def close(self) -> None:
        """End the thread that computes bcrypt."""
        self._auth.close()

    async def middleware(self, request: Request, handler: Handler) -> Response:
        """Answer *request*, or let *handler* do it."""
        try:
            config = await self._file.config()
        except StartError as error:
            fields = {"err": str(error)}
            log.error("Unable to parse configuration", extra={"fields": fields})  # noqa: TRY400 -- one line says it
            return text_answer(500, "Internal Server Error\n")
        if self._limiter and not self._limiter.allow():
            return text_answer(429, "Too Many Requests\n")
        return await self._answer(request, handler, config)

    async def _answer(
        self, request: Request, handler: Handler, config: Config
    ) -> Response:
        if await self._may_enter(request, config):
            response = await handler(request)
        else:
            response = text_answer(401, "Unauthorized\n")
            response.headers["WWW-Authenticate"] = "Basic"
        response.headers.update(config.http_server_config.headers)
        return response

    async def _may_enter(self, request: Request, config: Config) -> bool:
        users = config.basic_auth_users
        if not users:
            return True
        given = parse_basic(request.headers.get("authorization"))
        return given is not None and await self._auth.allows(users, given)
