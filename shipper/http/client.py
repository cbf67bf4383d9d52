"""Ask servers over kept connections; who calls has the time limit and the redirects."""

from __future__ import annotations

import asyncio
from typing import Literal, NamedTuple

from .connection import Connection
from .connector import Way, connect, reach, request_head
from .faults import NoAnswerError
from .fields import Fields
from .pool import Pool
from .reply import Expected, Reply
from .resolver import Resolver
from .url import Url


DIRECT = Way()


class Question(NamedTuple):
    """One request; of the body of its answer *max_bytes* are wanted at most."""

    method: Literal["GET", "POST"]
    url: Url
    headers: Fields
    max_bytes: int
    body: bytes = b""

    def head(self, way: Way) -> bytes:
        """Return what is sent in front of the body, for *way*."""
        url, headers = self.url, self.headers.copy()
        for name, value in (("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate")):
            if name not in headers:
                headers.add(name, value)
        if url.authorization and "Authorization" not in headers:
            headers.add("Authorization", url.authorization)
        if self.method == "POST":
            headers.add("Content-Length", str(len(self.body)))
        target = url.target
        if way.is_forwarded(url):
            target = str(url)
            for name, value in way.proxy_headers:
                headers[name] = value
        return request_head(self.method, target, url.authority, headers)


class HttpClient:
    """Asks any number of servers, any number of questions at once.

    Its owner closes it at the end.
    """

    def __init__(self) -> None:
        """Prepare; a loop must be running."""
        loop = asyncio.get_running_loop()
        self._pool = Pool(loop)
        self._resolver = Resolver(loop)

    def close(self) -> None:
        """Close the idle connections; those in use close themselves."""
        self._resolver.close()
        self._pool.close()

    async def ask(self, question: Question, way: Way = DIRECT) -> Reply:
        """Return the answer to *question*, whose server is reached by *way*.

        A server may close a kept connection while a request is on its way to it. Such
        a request is made once more, over a new connection: a push may arrive twice.

        Raises:
            HttpError: there is none.
        """
        url = question.url
        server = (url.scheme, url.host, url.port, way)
        head = question.head(way)
        expected = Expected(question.max_bytes)
        if kept := self._pool.take(server):
            try:
                answer = await kept.ask(head, question.body, expected)
            except NoAnswerError:
                pass
            else:
                self._pool.put(server, kept)
                return answer
        connection = await self._connect(question, way)
        answer = await connection.ask(head, question.body, expected)
        self._pool.put(server, connection)
        return answer

    async def reach(self, url: Url) -> None:
        """Open a connection to the server of *url* and close it.

        Raises:
            UnreachableError: it takes none.
        """
        await reach(url, self._resolver)

    async def _connect(self, question: Question, way: Way) -> Connection:
        return await connect(question.url, way, self._resolver)
