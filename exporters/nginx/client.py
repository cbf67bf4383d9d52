"""Read the stub_status page of one nginx over its own connections."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass
from ssl import SSLContext, SSLError
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_exceptions import UnixClientConnectorError

from exporters.nginx.errors import ScrapeError
from exporters.nginx.stub_status import StubStatus, excerpt, parse_stub_status
from exporters.nginx.targets import Target


# A stub_status page has about 110 bytes. A page longer than this is another one.
MAX_BODY_BYTES = 64 * 1024

# net/http gives up when the tenth answer is still a redirect (Client.checkRedirect).
MAX_REDIRECTS = 10

# Shorter than nginx's keepalive_timeout (75 s, 65 s in the packaged nginx.conf), so
# that this side closes first, and longer than any usual scrape interval.
KEEPALIVE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Network:
    """What all clients share: how names are looked up, TLS, and who is calling."""

    resolver: AbstractResolver
    tls: SSLContext
    user_agent: str


class Client:
    """Ask one nginx for its stub_status page.

    Each client has a connector of its own, so several unix sockets cannot be mixed
    up (upstream shares one transport: all targets answer with the last one's data)
    and a slow nginx does not keep another waiting. An async context manager.
    """

    def __init__(self, target: Target, network: Network) -> None:
        self.target = target
        self._session = aiohttp.ClientSession(
            connector=_connector(target, network),
            headers=_headers(target, network.user_agent),
            cookie_jar=aiohttp.DummyCookieJar(),
            # fetch() keeps the time itself: aiohttp rounds timeouts up to a second.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def fetch(self, timeout_seconds: float) -> StubStatus:
        """Return what nginx counts now; raise ScrapeError when that fails.

        *timeout_seconds* covers everything: name, connection, answer and body.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                body = await self._read()
        except TimeoutError as error:
            # The kernel's own ETIMEDOUT is a TimeoutError too, and has an errno.
            if error.errno is not None:
                raise ScrapeError(_explain(error)) from error
            raise ScrapeError(
                f"no complete answer within {timeout_seconds:g}s"
            ) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ScrapeError(_explain(error)) from error
        return parse_stub_status(body)

    async def _read(self) -> bytes:
        async with self._session.get(
            self.target.url, max_redirects=MAX_REDIRECTS
        ) as response:
            if response.status != 200:
                raise ScrapeError(f"expected 200 response, got {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(MAX_BODY_BYTES):
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise ScrapeError(
                        f"expected a stub_status page, got more than {MAX_BODY_BYTES} "
                        f"bytes beginning with {excerpt(bytes(body))}"
                    )
            return bytes(body)


def _connector(target: Target, network: Network) -> aiohttp.BaseConnector:
    # limit=0: the web server's own request limit bounds the scrapes under way.
    if target.socket is not None:
        return aiohttp.UnixConnector(
            target.socket, limit=0, keepalive_timeout=KEEPALIVE_SECONDS
        )
    return aiohttp.TCPConnector(
        limit=0,
        keepalive_timeout=KEEPALIVE_SECONDS,
        resolver=network.resolver,
        use_dns_cache=False,
        ssl=network.tls,
    )


def _headers(target: Target, user_agent: str) -> dict[str, str]:
    # No compression: the page is 110 bytes, and a body is bounded as it is read.
    headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
    if target.authorization is not None:
        headers["Authorization"] = target.authorization
    return headers


_EXPLANATIONS: tuple[tuple[type[Exception], str], ...] = (
    (
        aiohttp.TooManyRedirects,
        f"stopped after {MAX_REDIRECTS} redirects, expected a stub_status page",
    ),
    (
        aiohttp.RedirectClientError,
        "redirected to something that is not an http URL, expected 200 response",
    ),
    (
        aiohttp.ServerDisconnectedError,
        "connection closed without an answer, expected an HTTP response",
    ),
    (
        aiohttp.ClientPayloadError,
        "body ends too early, expected the length its header announces",
    ),
)


def _explain(error: Exception) -> str:
    """Return *error* as one line that holds no URL.

    aiohttp's own texts quote the URL of a redirect, which may carry credentials.
    """
    for kind, text in _EXPLANATIONS:
        if isinstance(error, kind):
            return text
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{_peer(error)}: {_reason(error.os_error)}"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"expected an HTTP response, got {_line(error.message)}"
    if isinstance(error, OSError):
        return _reason(error)
    return f"{type(error).__name__} while asking, expected an HTTP response"


def _peer(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, UnixClientConnectorError):
        return f"connect to unix socket {error.path}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"look up host {error.host}"
    return f"connect to {error.host}:{error.port}"


def _reason(error: OSError) -> str:
    # asyncio replaces the kernel's text by "Connect call failed ('::1', 80)".
    if error.errno is not None and not isinstance(error, socket.gaierror | SSLError):
        return os.strerror(error.errno)
    # several addresses: "Multiple exceptions: [Errno 111] Connect call failed …"
    return _line(error.strerror or str(error) or type(error).__name__)


def _line(text: str) -> str:
    return " ".join(text.split())
