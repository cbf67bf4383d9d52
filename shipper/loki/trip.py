"""What a request of a client needs, TLS and proxy, and words for what goes wrong."""

from __future__ import annotations

import asyncio
import os
import ssl
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final, TypedDict

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from shipper.tls import TlsSource

from .outcome import TRANSPORT, Answer
from .proxy import ProxyRules


MAX_ANSWER_BYTES: Final = 1 << 20
"""A 400 may name every entry of a push; what is beyond this is not read."""


class Options(TypedDict):
    """Arguments of aiohttp's ``request`` that say how a server is reached."""

    ssl: ssl.SSLContext | bool
    server_hostname: str | None
    proxy: str | None
    proxy_headers: CIMultiDict[str] | None
    headers: CIMultiDict[str]
    allow_redirects: bool


@dataclass(frozen=True, slots=True)
class Trip:
    """How servers are reached: TLS, and proxies by the server's address."""

    tls: TlsSource | None = None
    server_name: str | None = None
    proxies: ProxyRules = field(default_factory=ProxyRules)

    async def options(
        self, url: URL, headers: CIMultiDict[str], files: Executor
    ) -> Options:
        """Return how to ask *url* with *headers*; certificates are read in *files*.

        Raises:
            StartError: a certificate that changed cannot be used.
        """
        options: Options = {
            "ssl": await self._context(files),
            "server_hostname": self.server_name,
            "proxy": None,
            "proxy_headers": None,
            "headers": headers,
            "allow_redirects": False,
        }
        if proxy := self.proxies.choose(url):
            options["proxy"] = proxy.url
            # A tunnel is opened with headers of its own; plain text needs no tunnel.
            if url.scheme == "https":
                wanted = CIMultiDict(self.proxies.connect_headers)
                options["proxy_headers"] = wanted
            else:
                wanted = options["headers"] = headers.copy()
            if proxy.authorization:
                wanted["Proxy-Authorization"] = proxy.authorization
        return options

    async def _context(self, files: Executor) -> ssl.SSLContext | bool:
        if self.tls is None:
            return True
        if not self.tls.reads_files:
            return self.tls.current()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(files, self.tls.current)


def failure(error: Exception) -> Answer:
    """Return what *error* means, of the network or of a file, as an answer."""
    match error:
        case aiohttp.ClientHttpProxyError():
            reason = f"the proxy refuses: HTTP {error.status} {error.message}"
            return Answer(TRANSPORT, reason, connected=False)
        case aiohttp.ClientProxyConnectionError():
            reason = cannot_connect(error.os_error)
            return Answer(TRANSPORT, f"proxy: {reason}", connected=False)
        case aiohttp.ClientConnectorError():
            return Answer(TRANSPORT, cannot_connect(error.os_error), connected=False)
        case aiohttp.ClientError() if not isinstance(
            error, aiohttp.ClientConnectionError
        ):
            return Answer(TRANSPORT, f"{type(error).__name__}: {error}")
    return Answer(TRANSPORT, str(error) or type(error).__name__)


def cannot_connect(error: OSError) -> str:
    """Return why there is no connection, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"cannot connect: certificate refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):  # its errno is OpenSSL's, not the system's
        return f"cannot connect: TLS: {error.reason or error}"
    # asyncio puts its own words into strerror; of a failed look-up errno is negative.
    if error.errno is not None and error.errno > 0:
        return f"cannot connect: {os.strerror(error.errno)}"
    reason = error.strerror or str(error) or "connection closed by the other side"
    return f"cannot connect: {reason}"


async def read_text(response: aiohttp.ClientResponse) -> str:
    """Return the body of *response*, as far as it is worth reading."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(1 << 16):
        chunks.append(chunk)
        size += len(chunk)
        if size >= MAX_ANSWER_BYTES:
            response.close()
            break
    return b"".join(chunks)[:MAX_ANSWER_BYTES].decode("utf-8", "replace")
