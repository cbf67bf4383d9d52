"""What a request of a client needs, TLS and proxy, and words for what goes wrong."""

from __future__ import annotations

import asyncio
import os
import ssl  # 4 MiB, loaded when something of it is used (toolkit/deferred.py)
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cache
from typing import Final, TypeGuard

from shipper.http.connector import Way
from shipper.http.faults import ProxyRefusalError, UnreachableError
from shipper.http.url import Url, read_url
from shipper.tls import TlsSource

from .outcome import TRANSPORT, Answer
from .proxy import Proxy, ProxyRules


MAX_ANSWER_BYTES: Final = 1 << 20
"""A 400 may name every entry of a push; what is beyond this is not read."""


@dataclass(frozen=True, slots=True)
class Trip:
    """How servers are reached: TLS, and proxies by the server's address."""

    tls: TlsSource | None = None
    server_name: str | None = None
    proxies: ProxyRules = field(default_factory=ProxyRules)

    async def way(self, url: Url, files: Executor) -> Way:
        """Return how to reach the server of *url*; certificates are read in *files*.

        Raises:
            StartError: a certificate that changed cannot be used.
        """
        proxy = self.proxies.choose(url)
        through = read_url(proxy.url) if proxy else None
        secret = "https" in {url.scheme, through.scheme if through else ""}
        return Way(
            await self._context(files, needed=secret),
            self.server_name,
            through,
            self._proxy_headers(proxy, url) if proxy else (),
        )

    def _proxy_headers(self, proxy: Proxy, url: Url) -> tuple[tuple[str, str], ...]:
        """Return what the proxy is sent: with a tunnel it gets headers of its own."""
        login = proxy.authorization
        own = (("Proxy-Authorization", login),) if login else ()
        return (*self.proxies.connect_headers, *own) if url.scheme == "https" else own

    async def _context(self, files: Executor, *, needed: bool) -> ssl.SSLContext | None:
        loop = asyncio.get_running_loop()
        if self.tls is None:
            if not needed:
                return None
            return await loop.run_in_executor(files, _systems_context)
        if not self.tls.reads_files:
            return self.tls.current()
        return await loop.run_in_executor(files, self.tls.current)


@cache
def _systems_context() -> ssl.SSLContext:
    """Return the context that trusts whom the system trusts."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def failure(error: Exception) -> Answer:
    """Return what *error* means, of the network or of a file, as an answer."""
    match error:
        case ProxyRefusalError():
            reason = f"the proxy refuses: HTTP {error.status} {error.words}"
            return Answer(TRANSPORT, reason, connected=False)
        case UnreachableError():
            where = "proxy: " if error.proxy else ""
            reason = f"{where}{cannot_connect(error.error)}"
            return Answer(TRANSPORT, reason, connected=False)
    return Answer(TRANSPORT, str(error) or type(error).__name__)


def cannot_connect(error: OSError) -> str:
    """Return why there is no connection, in a few words."""
    if _is_tls(error):  # its errno is OpenSSL's, not the system's
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"cannot connect: certificate refused: {error.verify_message}"
        return f"cannot connect: TLS: {error.reason or error}"
    # asyncio puts its own words into strerror; of a failed look-up errno is negative.
    if error.errno is not None and error.errno > 0:
        return f"cannot connect: {os.strerror(error.errno)}"
    reason = error.strerror or str(error) or "connection closed by the other side"
    return f"cannot connect: {reason}"


def _is_tls(error: Exception) -> TypeGuard[ssl.SSLError]:
    """Say whether *error* is one of TLS, without a need for ssl to be loaded."""
    return type(error).__module__ == "ssl" and isinstance(error, ssl.SSLError)
