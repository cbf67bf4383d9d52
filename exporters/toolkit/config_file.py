"""Read the file of ``--web.config.file`` anew whenever it matters.

As upstream, every request and every TLS handshake looks at the files as they are, so
a change needs no restart; what is the same bytes is not parsed again. Files are read
in threads of their own: one on a dead mount holds up requests, not the program.
Upstream counterpart: exporter-toolkit ``tls_config.go``, getConfig.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from . import tls_context, webconfig
from .errors import StartError
from .tls_context import Material
from .webconfig import Config, TLSConfig


T = TypeVar("T")

log = logging.getLogger(__name__)

_THREADS = 2
_READ_SECONDS = 5.0


class ConfigFile:
    """The file at *path*, and what was made of it last."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._directory = os.path.dirname(path) or "."
        self._parsed: tuple[bytes, Config] | None = None
        self._made: tuple[TLSConfig, Material, ssl.SSLContext] | None = None
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="web-config")

    def close(self) -> None:
        """End the threads; one that hangs is left behind."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def start(self) -> Config:
        """Return the settings to start with.

        Raises StartError: whatever keeps a server from starting with them.
        """
        return await self._in_thread(self._start)

    async def config(self) -> Config:
        """Return the settings as the file has them now; raises StartError."""
        return await self._in_thread(lambda: self._load()[1])

    async def tls(self) -> tuple[TLSConfig, ssl.SSLContext]:
        """Return the TLS settings as the files have them now; raises StartError."""
        return await self._in_thread(self._tls)

    async def _in_thread(self, read: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_READ_SECONDS):
                return await loop.run_in_executor(self._threads, read)
        except TimeoutError as error:
            raise StartError(f"open {self._path}: timeout") from error

    def _start(self) -> Config:
        data, config = self._load()
        webconfig.check(config, data, self._path)
        if config.tls_server_config.enabled:
            self._tls()
        return config

    def _load(self) -> tuple[bytes, Config]:
        try:
            with open(self._path, "rb") as file:
                data = file.read()
        except (OSError, ValueError) as error:
            number = getattr(error, "errno", None)
            reason = os.strerror(number).lower() if number else str(error)
            raise StartError(f"open {self._path}: {reason}") from error
        if self._parsed is None or self._parsed[0] != data:
            self._parsed = data, webconfig.parse(data, self._path)
        return self._parsed

    def _tls(self) -> tuple[TLSConfig, ssl.SSLContext]:
        data, whole = self._load()
        config = whole.tls_server_config
        if not config.enabled:
            raise StartError(f"{self._path}: TLS config is not present")
        webconfig.check_tls(whole, data, self._path)
        material = tls_context.read_material(config, self._directory)
        made = self._made
        if made is None or made[:2] != (config, material):
            context = tls_context.server_context(config, material)
            for limit in tls_context.limits(config, material):
                log.warning("%s: %s", self._path, limit)
            self._made = made = config, material, context
        return config, made[2]
