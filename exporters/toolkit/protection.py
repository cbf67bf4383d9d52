"""What ``--web.config.file`` puts between the socket and the application.

Upstream counterpart: exporter-toolkit ``tls_config.go``, Serve.
"""

from __future__ import annotations

import asyncio
import logging
import socket

from .config_file import ConfigFile
from .duration import format_nanoseconds
from .guard import Guard
from .http.application import Middleware
from .rate_limit import RateLimiter
from .tls_listen import Factory, serve_tls
from .webconfig import Config, RateLimiterConfig


log = logging.getLogger(__name__)


class Protection:
    """The file and what stands on it. *tls* is decided at the start, as upstream."""

    def __init__(self, file: ConfigFile, config: Config) -> None:
        self._file = file
        self._guard = Guard(file, _limiter(config.rate_limit))
        self.tls = config.tls_server_config.enabled

    @classmethod
    async def start(cls, path: str) -> Protection:
        """Return what the file at *path* asks for; raises StartError."""
        file = ConfigFile(path)
        try:
            return cls(file, await file.start())
        except BaseException:
            file.close()
            raise

    @property
    def middleware(self) -> Middleware:
        """What every request goes through first."""
        return self._guard.middleware

    def serve(self, sock: socket.socket, server: Factory) -> asyncio.Task[None]:
        """Start to accept TLS connections on *sock*, each for what *server* makes."""
        return asyncio.ensure_future(serve_tls(sock, server, self._file.tls))

    def close(self) -> None:
        """End the threads."""
        self._guard.close()
        self._file.close()


def _limiter(config: RateLimiterConfig) -> RateLimiter | None:
    if not config.interval:
        return None
    interval = format_nanoseconds(config.interval)
    fields = {"burst": config.burst, "interval": interval}
    log.info("Rate Limiter is enabled.", extra={"fields": fields})
    return RateLimiter(config.burst, config.interval / 1e9)
