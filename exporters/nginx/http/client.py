"""Ask one nginx over its own connections, as Go's net/http client would."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.connector import Network, connector
from exporters.nginx.http.faults import explain, refusal
from exporters.nginx.http.redirects import STATUSES, Request, first_request, redirected
from exporters.nginx.patience import within
from exporters.nginx.stub_status import StubStatus, excerpt, parse_stub_status
from exporters.nginx.targets import Target


__all__ = ["Answer", "Client", "Network"]

# A stub_status page has about 110 bytes. A page longer than this is another one.
MAX_BODY_BYTES = 64 * 1024

# A line of a header may be as long as a whole page: cookies, content policies.
MAX_LINE_BYTES = 64 * 1024

# net/http gives up when the tenth answer is still a redirect (Client.checkRedirect).
MAX_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What nginx answered: a status and a body, which is whole where it is 200."""

    status: int
    body: bytes


class Client:
    """Ask one nginx. An async context manager.

    A slow nginx keeps no other waiting, nor another request to the same one (upstream
    holds a mutex through the request).
    """

    def __init__(self, target: Target, network: Network) -> None:
        self.target = target
        self._network = network
        self._keeps = network.descriptors.claim()
        self._session = aiohttp.ClientSession(
            connector=connector(target, network, keep=self._keeps),
            cookie_jar=aiohttp.DummyCookieJar(),
            # The caller keeps the time: aiohttp rounds timeouts up to a second.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            trace_configs=[_connection_trace()],
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
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
        if self._keeps:
            self._network.descriptors.release()

    async def fetch(self, timeout_seconds: float) -> StubStatus:
        """Return what nginx counts now; raise ScrapeError when that fails.

        *timeout_seconds* covers everything: name, connection, answer and body.
        """
        async with within(timeout_seconds):
            answer = await self.get()
        if answer.status != 200:
            raise ScrapeError(refusal(answer.status, answer.body))
        return parse_stub_status(answer.body)

    async def get(self, suffix: str = "", *, max_bytes: int = MAX_BODY_BYTES) -> Answer:
        """Return the answer to a GET of the target's URL, *suffix* after its path.

        Redirects are followed. A body of more than *max_bytes* is an error if the
        status is 200; of any other MAX_BODY_BYTES are enough, and it is cut. There is
        no limit of time: the caller has one.
        Raises ScrapeError for everything that is not an answer in HTTP.
        """
        network = self._network
        request = first_request(
            self.target, suffix, network.user_agent, network.headers
        )
        try:
            async with network.descriptors.slots:
                for _ in range(MAX_REDIRECTS):
                    answer, location = await self._ask(request, max_bytes)
                    if location is None or not network.follow_redirects:
                        return answer
                    request = redirected(request, location)
                    if self.target.socket and request.url.scheme == "https":
                        raise ScrapeError("redirected to https on a unix socket")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ScrapeError(explain(error)) from error
        raise ScrapeError(f"stopped after {MAX_REDIRECTS} redirects")

    async def _ask(self, request: Request, max_bytes: int) -> tuple[Answer, str | None]:
        """Return the answer to *request*, and where it sends us if it does.

        nginx may close a kept connection while a request is on its way to it. Such a
        request is made again, until one fails on a new connection (net/http
        Transport.RoundTrip); aiohttp alone does so once, and may meet a second one.
        """
        while True:
            connection = SimpleNamespace(kept=False)
            try:
                return await self._ask_once(request, max_bytes, connection)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                if not connection.kept or isinstance(
                    error, aiohttp.ClientConnectorError
                ):
                    raise

    async def _ask_once(
        self, request: Request, max_bytes: int, connection: SimpleNamespace
    ) -> tuple[Answer, str | None]:
        async with self._session.get(
            request.url,
            headers=request.headers,
            server_hostname=request.server_name,
            allow_redirects=False,
            trace_request_ctx=connection,
        ) as response:
            body = await _body(response, max_bytes)
            where = response.headers.get("Location") or None
            if response.status not in STATUSES:
                where = None
            return Answer(response.status, body), where


def _connection_trace() -> aiohttp.TraceConfig:
    """Return what notes whether a request went over a kept connection."""
    trace = aiohttp.TraceConfig()

    async def kept(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: object
    ) -> None:
        context.trace_request_ctx.kept = True

    async def created(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: object
    ) -> None:
        context.trace_request_ctx.kept = False

    trace.on_connection_reuseconn.append(kept)
    trace.on_connection_create_start.append(created)
    return trace


async def _body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = bytearray()
    if response.status != 200:
        max_bytes = min(max_bytes, MAX_BODY_BYTES)
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > max_bytes:
                break
    except (aiohttp.ClientError, OSError):
        if response.status == 200:  # else the status says what is wrong
            raise
    if len(body) > max_bytes and response.status == 200:
        raise ScrapeError(
            f"expected a body of at most {max_bytes} bytes, got more, beginning with "
            f"{excerpt(bytes(body))}"
        )
    return bytes(body[:max_bytes])
