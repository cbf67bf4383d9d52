"""Asks a Loki, or the store, over HTTP; every failure becomes a `LogsError`."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from .errors import LogsError, Refused, Unreachable
from .flags import Connection
from .lines import NOT_LOKI
from .login import headers, parse_address, tls


CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 150.0  # Loki lets a query run a minute, and gateways add theirs
HEARTBEAT_SECONDS: Final = 15.0
_API: Final = "loki/api/v1"
_MAX_PARAMS: Final = 4000  # longer than this does not fit the URL of every proxy
_COLUMN: Final = re.compile(r"parse error at line (\d+), col (\d+):")
_HINTS: Final = {
    401: "log in with --username and --password, or --bearer-token; --org-id is the "
    "tenant",
    403: "this login may not read logs here",
    404: "is there a Loki at --addr? A gateway may want a path in it",
}


class LogClient:
    """One server. Use it as an async context manager."""

    def __init__(self, connection: Connection) -> None:
        """Prepare; nothing is opened. Raises UsageError for an address that is none."""
        self._given = connection
        self._base = parse_address(connection.address)
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session. Raises LogsError for a file that cannot be read."""
        given = self._given
        connector = aiohttp.TCPConnector(ssl=tls(given), limit=4)
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=connector,
                headers=headers(given, self._base),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
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

    @property
    def shown(self) -> str:
        """Return the address without a password."""
        return str(self._base.with_user(None)).rstrip("/")

    async def data(self, path: str, params: Mapping[str, str]) -> Any:
        """Return the ``data`` of the answer to *path* under /loki/api/v1.

        Raises:
            Unreachable: no answer, or one of 5xx or 429.
            Refused: another answer than 200, with its own words.
            LogsError: the answer is not Loki's.
        """
        assert self._session, "enter the client first"
        post = sum(map(len, params.values())) > _MAX_PARAMS
        sent: dict[str, Any] = {"data" if post else "params": params}
        method = "POST" if post else "GET"
        try:
            async with self._session.request(method, self._url(path), **sent) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error) from None
        if answer.status != 200:
            raise self._refusal(answer.status, body, params.get("query", ""))
        return self._parsed(body)

    @asynccontextmanager
    async def tail(
        self, params: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open /loki/api/v1/tail.

        Raises:
            Refused: the server, or a proxy, does not do that.
            Unreachable: no answer.
        """
        assert self._session, "enter the client first"
        try:
            async with asyncio.timeout(CONNECT_SECONDS * 2):
                socket = await self._session.ws_connect(
                    self._url("tail"),
                    params=params,
                    heartbeat=HEARTBEAT_SECONDS,
                    max_msg_size=0,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise Refused(
                error.status, f"{self.shown} answers {error.status}"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error) from None
        async with socket:
            yield socket

    def _url(self, path: str) -> URL:
        base = self._base.with_user(None)
        return base / _API / path if "/" not in path else base.joinpath(
            _API, *path.split("/")
        )  # fmt: skip

    def _unreachable(self, error: Exception) -> Unreachable:
        reason = getattr(error, "os_error", error)
        number = getattr(reason, "errno", None)
        # A resolver's numbers are its own, and below zero.
        known = os.strerror(number) if number and number > 0 else ""
        text = known or str(reason) or type(error).__name__
        hint = "--addr or LOKI_ADDR says where Loki is"
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            hint = "--ca-cert names whom to trust, --tls-skip-verify trusts anybody"
        return Unreachable(f"cannot reach {self.shown}: {' '.join(text.split())}", hint)

    def _refusal(self, status: int, body: bytes, query: str) -> LogsError:
        words = " ".join(body.decode(errors="replace").split())[:500]
        text = f"{self.shown} answers {status}{f': {words}' if words else ''}"
        if status == 429 or status >= 500:
            return Unreachable(text)
        if status == 401 and "no org id" in words:
            return Refused(status, text, "name the tenant with --org-id")
        if status == 400:
            return Refused(status, words or text, caret(words, query))
        return Refused(status, text, _HINTS.get(status, ""))

    def _parsed(self, body: bytes) -> Any:
        try:
            answer = json.loads(body)
        except ValueError:  # also bytes that are no UTF-8
            answer = None
        if not isinstance(answer, dict) or answer.get("status") != "success":
            raise LogsError(f"{self.shown}: {NOT_LOKI}", _HINTS[404])
        return answer.get("data", [])


def caret(words: str, query: str) -> str:
    """Return the line of *query* that *words* find fault with, a caret below it."""
    found = _COLUMN.search(words)
    lines = query.split("\n")
    if found is None or not 1 <= int(found[1]) <= len(lines):
        return ""
    line = "".join(c if c.isprintable() else " " for c in lines[int(found[1]) - 1])
    column = min(max(int(found[2]), 1), len(line) + 1)
    return f"\n  {line}\n  {' ' * (column - 1)}^"
