"""One push over HTTP: bytes in, an `Answer` out, never an exception of the network."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from exporters.toolkit.errors import StartError
from shipper.config.http_headers import is_header_value
from shipper.http.client import HttpClient, Question
from shipper.http.faults import HttpError, UnreachableError
from shipper.http.fields import Fields
from shipper.http.reply import Reply
from shipper.http.url import read_url

from .backoff import parse_retry_after
from .headers import HeaderError, build_headers
from .oauth2 import TokenSource
from .outcome import Answer
from .page import MAX_PAGE_BYTES, Page, page_url, read_page
from .redirect import MAX_REDIRECTS, REPEATED, carried, moved_to, refusal_to_follow
from .settings import ClientSettings
from .token import TokenError
from .trip import MAX_ANSWER_BYTES, cannot_connect, failure


PROBE_TIMEOUT_SECONDS: Final = 5.0
PAGE_TIMEOUT_SECONDS: Final = 5.0

FAILURES: Final = (
    HttpError, OSError, StartError, HeaderError, TokenError,
)  # fmt: skip
"""What can go wrong with a request: the network, a file, a token."""


class PushClient:
    """Pushes to one Loki (promtail client/client.go, send)."""

    def __init__(self, settings: ClientSettings) -> None:
        """Prepare for *settings*; use it as an async context manager."""
        self.settings = settings
        self._url = read_url(settings.url)
        self._files = ThreadPoolExecutor(1, thread_name_prefix="credentials")
        self._http: HttpClient | None = None
        self._tokens: TokenSource | None = None
        self._reads_files = settings.credentials.reads_files or any(
            header.files for header in settings.added_headers
        )

    async def __aenter__(self) -> Self:
        """Get ready; nothing is sent yet."""
        self._http = http = HttpClient()
        if self.settings.oauth2:
            clock = asyncio.get_running_loop().time
            self._tokens = TokenSource(self.settings.oauth2, http, self._files, clock)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        if self._http is not None:
            self._http.close()
        self._files.shutdown(wait=False, cancel_futures=True)

    async def push(self, tenant: str, body: bytes) -> Answer:
        """Send *body* for *tenant* and return what Loki says.

        A failure to connect, a broken or late answer, an unreadable file and a token
        that cannot be had come back as `Answer` with status TRANSPORT.
        """
        if not is_header_value(tenant):  # Loki's words for what it cannot even see
            # Not {tenant!r}, which has other quotes around a name with one in it.
            shown = repr(tenant)[1:-1]
            return Answer(400, f"tenant ID '{shown}' contains unsupported character")
        seconds = self.settings.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                headers = await self._headers(tenant)
                if self._tokens is None:
                    return await self._follow(headers, body)
                return await self._push_with_token(self._tokens, headers, body)
        except TimeoutError:
            return failure(TimeoutError(f"no answer within {seconds:g} s"))
        except FAILURES as error:
            return failure(error)

    async def probe(self) -> str | None:
        """Return None when the address takes a TCP connection, else why not.

        Not GET /ready: gateways often have only the push path, and ask for a login.
        """
        assert self._http, "enter the client first"
        proxy = self.settings.trip.proxies.choose(self._url)
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                await self._http.reach(read_url(proxy.url) if proxy else self._url)
        except TimeoutError:
            return f"no connection within {PROBE_TIMEOUT_SECONDS:g} s"
        except UnreachableError as error:
            return cannot_connect(error.error)
        return None

    @property
    def tenant(self) -> str:
        """Return whose lines these are, unless a line names another tenant."""
        return self.settings.tenant

    async def page(self, name: str) -> Page | None:
        """Return Loki's page *name*, as it shows it to who pushes; None: it does not.

        A page is a help, never a need: why there is none makes no difference.
        """
        url = page_url(self._url, name)
        if url is None:
            return None
        try:
            async with asyncio.timeout(PAGE_TIMEOUT_SECONDS):
                headers = await self._headers(self.settings.tenant)
                headers.discard("Content-Type")
                headers.discard("Content-Encoding")
                if self._tokens is not None:
                    headers["Authorization"] = (await self._tokens.get()).header
                question = Question("GET", url, headers, MAX_PAGE_BYTES + 1)
                return read_page(await self._ask(question))
        except (TimeoutError, *FAILURES):
            return None

    async def _ask(self, question: Question) -> Reply:
        assert self._http, "enter the client first"
        way = await self.settings.trip.way(question.url, self._files)
        return await self._http.ask(question, way)

    async def _headers(self, tenant: str) -> Fields:
        if not self._reads_files:
            return self._build_headers(tenant)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._files, self._build_headers, tenant)

    def _build_headers(self, tenant: str) -> Fields:
        settings = self.settings
        return build_headers(
            tenant,
            settings.headers,
            encoding=settings.push_encoding,
            added=settings.added_headers,
            credentials=settings.credentials,
        )

    async def _push_with_token(
        self, tokens: TokenSource, headers: Fields, body: bytes
    ) -> Answer:
        """Push with a token, and once more with a new one when Loki refuses it."""
        token = await tokens.get()
        headers["Authorization"] = token.header
        answer = await self._follow(headers, body)
        if answer.status != 401:
            return answer
        headers["Authorization"] = (await tokens.get(refused=token)).header
        return await self._follow(headers, body)

    async def _follow(self, headers: Fields, body: bytes) -> Answer:
        """Post *body*, also to where a redirect leads that repeats a POST."""
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            question = Question("POST", url, headers, MAX_ANSWER_BYTES, body)
            reply = await self._ask(question)
            target = moved_to(reply, url)
            if target is None or not self.settings.follow_redirects:
                return _answer(reply)
            if reply.status not in REPEATED:
                return refusal_to_follow(reply.status, target)
            headers, url = carried(headers, url, target), target
        return Answer(reply.status, f"stopped after {MAX_REDIRECTS} redirects")


def _answer(reply: Reply) -> Answer:
    if reply.status == 204:  # stored: nothing may come in between
        return Answer(204)
    retry_after = reply.header(b"retry-after")
    return Answer(
        reply.status,
        reply.text(),
        parse_retry_after(retry_after, datetime.now(UTC)),
    )
