"""Ask one nginx over its own connections, as Go's net/http client would."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.answer import MAX_BODY_BYTES, Answer, NoAnswerError
from exporters.nginx.http.connection import Connection
from exporters.nginx.http.connector import Network, connect
from exporters.nginx.http.faults import refusal
from exporters.nginx.http.pool import Pool
from exporters.nginx.http.redirects import STATUSES, Request, first_request, redirected
from exporters.nginx.patience import within
from exporters.nginx.stub_status import StubStatus, parse_stub_status
from exporters.nginx.targets import Target


__all__ = ["MAX_BODY_BYTES", "Answer", "Client", "Network"]

# net/http gives up when the tenth answer is still a redirect (Client.checkRedirect).
MAX_REDIRECTS = 10


def status_of(answer: Answer) -> StubStatus:
    """Return what nginx counts; raise ScrapeError if *answer* does not say it."""
    if answer.status != 200:
        raise ScrapeError(refusal(answer.status, answer.body))
    return parse_stub_status(answer.body)


class Client:
    """Ask one nginx. An async context manager.

    A slow nginx keeps no other waiting, nor another request to the same one (upstream
    holds a mutex through the request).
    """

    def __init__(self, target: Target, network: Network) -> None:
        self.target = target
        self._network = network
        self._keeps = network.descriptors.claim()
        self._pool = Pool()
        # The only one that is asked for, but for NGINX Plus.
        self._usual = self._first("")
        self._usual_server = self._usual.server
        self.usual_head = self._usual.head(keep=self._keeps)
        self._elsewhere = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.close()
        if self._keeps:
            self._network.descriptors.release()

    async def fetch(self, timeout_seconds: float) -> StubStatus:
        """Return what nginx counts now; raise ScrapeError when that fails.

        *timeout_seconds* covers everything: name, connection, answer and body.
        """
        async with within(timeout_seconds):
            answer = await self.get()
        return status_of(answer)

    async def get(self, suffix: str = "", *, max_bytes: int = MAX_BODY_BYTES) -> Answer:
        """Return the answer to a GET of the target's URL, *suffix* after its path.

        Redirects are followed. A body of more than *max_bytes* is an error if the
        status is 200; of any other MAX_BODY_BYTES are enough, and it is cut. There is
        no limit of time: the caller has one.
        Raises ScrapeError for everything that is not an answer in HTTP.
        """
        request = self._first(suffix) if suffix else self._usual
        async with self._network.descriptors.slots:
            for _ in range(MAX_REDIRECTS):
                answer = await self._ask(request, max_bytes)
                follow = self.leads_elsewhere(answer)
                if request is self._usual:
                    self._elsewhere = follow
                if not follow:
                    return answer
                request = redirected(request, answer.location)
                if self.target.socket and request.url.scheme == "https":
                    raise ScrapeError("redirected to https on a unix socket")
        raise ScrapeError(f"stopped after {MAX_REDIRECTS} redirects")

    def leads_elsewhere(self, answer: Answer) -> bool:
        """Return whether *answer* is a redirect that is to be followed."""
        return (
            answer.status in STATUSES
            and answer.location != ""
            and self._network.follow_redirects
        )

    def take_kept(self) -> Connection | None:
        """Return a kept connection over which `usual_head` may be asked at once.

        None where there is none, or where the answer would be a redirect. It goes back
        with `keep`, or is closed. It has a descriptor, and so needs no slot for one.
        """
        return None if self._elsewhere else self._pool.take(self._usual_server)

    def keep(self, connection: Connection) -> None:
        """Keep what came from `take_kept`."""
        self._pool.put(self._usual_server, connection)

    def _first(self, suffix: str) -> Request:
        network = self._network
        return first_request(self.target, suffix, network.user_agent, network.headers)

    async def _ask(self, request: Request, max_bytes: int) -> Answer:
        """Return the answer to *request*.

        nginx may close a kept connection while a request is on its way to it. Such a
        request is made again, until one fails on a new connection (net/http
        Transport.RoundTrip).
        """
        if request is self._usual:
            head = self.usual_head
        else:
            head = request.head(keep=self._keeps)
        server = request.server
        while (kept := self._pool.take(server)) is not None:
            try:
                answer = await kept.ask(head, max_bytes)
            except NoAnswerError:
                continue
            self._pool.put(server, kept)
            return answer
        connection = await connect(request, self.target.socket, self._network)
        answer = await connection.ask(head, max_bytes)
        if self._keeps:
            self._pool.put(server, connection)
        else:
            connection.close()
        return answer
