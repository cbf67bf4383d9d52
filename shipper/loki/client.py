"""One push over HTTP: bytes in, an `Answer` out, never an exception of the network."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from .backoff import parse_retry_after
from .outcome import TRANSPORT, Answer
from .settings import ClientSettings, Credentials


USER_AGENT: Final = "promtail/3.4.6"
"""Loki's and gateways' rules may look for it: the version whose behaviour is ours."""

MAX_ANSWER_BYTES: Final = 1 << 20
"""A 400 may name every entry of a push; what is beyond this is not read."""

PROBE_TIMEOUT_SECONDS: Final = 5.0

_OWN_HEADERS: Final = frozenset({"content-type", "user-agent"})


class PushClient:
    """Pushes to one Loki (promtail client/client.go, send)."""

    def __init__(self, settings: ClientSettings) -> None:
        """Prepare for *settings*; use it as an async context manager."""
        self.settings = settings
        self._url = URL(settings.url, encoded=True)
        self._stack = AsyncExitStack()
        self._secrets = ThreadPoolExecutor(1, thread_name_prefix="credentials")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session; nothing is sent yet."""
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=10)
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self.settings.timeout_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._stack.aclose()
        self._secrets.shutdown(wait=False, cancel_futures=True)

    async def push(self, tenant: str, body: bytes) -> Answer:
        """Send *body* for *tenant* and return what Loki says.

        A failure to connect, a broken or late answer and an unreadable credentials
        file come back as `Answer` with status TRANSPORT.
        """
        assert self._session, "enter the client first"
        settings = self.settings
        try:
            async with self._session.post(
                self._url,
                data=body,
                headers=await self._headers(tenant),
                ssl=settings.tls or True,
                server_hostname=settings.server_name,
                proxy=settings.proxy,
                allow_redirects=settings.follow_redirects,
            ) as response:
                if response.status == 204:  # stored: nothing may come in between
                    return Answer(204)
                return Answer(
                    response.status,
                    await _read_text(response),
                    parse_retry_after(
                        response.headers.get("Retry-After"), datetime.now(UTC)
                    ),
                )
        except TimeoutError:
            late = f"no answer within {settings.timeout_seconds:g} s"
            return Answer(TRANSPORT, late)
        except aiohttp.ClientConnectorError as error:
            return Answer(TRANSPORT, _cannot_connect(error.os_error), connected=False)
        except (aiohttp.ClientConnectionError, OSError) as error:
            return Answer(TRANSPORT, str(error) or type(error).__name__)
        except aiohttp.ClientError as error:
            return Answer(TRANSPORT, f"{type(error).__name__}: {error}")

    async def probe(self) -> str | None:
        """Return None when the address takes a TCP connection, else why not.

        Not GET /ready: gateways often have only the push path, and ask for a login.
        """
        target = URL(self.settings.proxy) if self.settings.proxy else self._url
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                _, writer = await asyncio.open_connection(target.host, target.port)
        except TimeoutError:
            return f"no connection within {PROBE_TIMEOUT_SECONDS:g} s"
        except OSError as error:
            return _cannot_connect(error)
        writer.close()
        return None

    async def _headers(self, tenant: str) -> dict[str, str]:
        credentials = self.settings.credentials
        if any((credentials.username_file, credentials.password_file,
                credentials.token_file)):  # fmt: skip
            loop = asyncio.get_running_loop()
            authorization = await loop.run_in_executor(
                self._secrets, authorize, credentials
            )
        else:
            authorization = authorize(credentials)
        headers = build_headers(tenant, self.settings.headers)
        if authorization:
            headers["Authorization"] = authorization
        return headers


def build_headers(tenant: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a push; *extra* never replaces those of the protocol.

    An X-Scope-OrgID among *extra* goes out when there is no *tenant* (promtail §5).
    """
    headers = {"Content-Type": "application/x-protobuf", "User-Agent": USER_AGENT}
    taken = set(_OWN_HEADERS)
    if tenant:
        headers["X-Scope-OrgID"] = tenant
        taken.add("x-scope-orgid")
    headers.update((k, v) for k, v in extra.items() if k.lower() not in taken)
    return headers


def authorize(credentials: Credentials) -> str:
    """Return the Authorization header for *credentials*, reading their files.

    Raises:
        OSError: a file cannot be read.
    """
    if credentials.scheme:
        token = _secret(credentials.token, credentials.token_file)
        return f"{credentials.scheme} {token}"
    username = _secret(credentials.username, credentials.username_file)
    password = _secret(credentials.password, credentials.password_file)
    if not username and not password:
        return ""
    pair = f"{username}:{password}".encode()
    return "Basic " + base64.b64encode(pair).decode("ascii")


def _secret(value: str, path: str) -> str:
    if not path:
        return value
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def _cannot_connect(error: OSError) -> str:
    # asyncio puts its own words into strerror; of a failed look-up errno is negative.
    known = error.errno is not None and error.errno > 0
    reason = os.strerror(error.errno or 0) if known else error.strerror or str(error)
    return f"cannot connect: {reason}"


async def _read_text(response: aiohttp.ClientResponse) -> str:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(1 << 16):
        chunks.append(chunk)
        size += len(chunk)
        if size >= MAX_ANSWER_BYTES:
            response.close()
            break
    return b"".join(chunks)[:MAX_ANSWER_BYTES].decode("utf-8", "replace")
