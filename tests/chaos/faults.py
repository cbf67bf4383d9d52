"""A proxy between shipper and store that misbehaves when it is told to."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from .diary import Diary


LIMIT = 64 << 20
TENANT = "X-Scope-OrgID"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a *share* of the requests.

    *status* is answered without asking the store; *cut* loses the store's answer after
    it has stored; *silent* never answers; *refuses* nobody listens; *delay* is in
    seconds. Bodies of up to *above* bytes are passed on.
    """

    name: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    cut: bool = False
    silent: bool = False
    refuses: bool = False
    delay: float = 0.0
    above: int = 0
    share: float = 1.0


PASS = Fault("as it should be", share=0.0)
REFUSED = Fault("refused", refuses=True)
BUSY = Fault("429", 429, body="Ingestion rate limit exceeded for user fake\n")
BUSY_UNTIL = Fault("429 in 1 s", 429, {"Retry-After": "1"}, "slow down\n")
BROKEN = Fault("500", 500, body="empty ring\n")
UNAVAILABLE = Fault("503", 503, body="shutting down\n")
UNKNOWN = Fault("400", 400, body="the gateway does not like this\n")
LARGE = Fault("413", 413, body="<h1>413 Request Entity Too Large</h1>\n")
# As a gateway with a limit does it: no single line of these tests is that long.
LARGER = Fault("413 above 500 B", 413, body="<h1>413</h1>\n", above=500)
SILENT = Fault("silence", silent=True)
CUT = Fault("cut", cut=True)
SLOW = Fault("slow", delay=1.5)


class Proxy:
    """Passes requests on to *target*, except as the fault of the moment says."""

    def __init__(self, target: str, rng: random.Random, diary: Diary) -> None:
        self.target = target
        self.port = 0
        self.refused_tenants: set[str] = set()
        self.answers: Counter[str] = Counter()
        self._rng = rng
        self._diary = diary
        self._fault = PASS
        self._over = asyncio.Event()
        self._server: asyncio.Server | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen on a free port of the loopback until it is left."""
        app = web.Application(client_max_size=LIMIT)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(timeout=timeout) as self._session:
            await self._listen()
            try:
                yield
            finally:
                self._over.set()
                await self._close()
                await self._runner.cleanup()

    async def set(self, fault: Fault) -> None:
        """Do *fault* from now on; whoever waits in silence is cut off."""
        was, self._fault = self._fault, fault
        self._diary(f"proxy: {fault.name} for {fault.share:.0%} of the requests")
        self._over.set()
        self._over = asyncio.Event()
        if fault.refuses:
            await self._close()
        elif was.refuses:
            await self._listen()

    @asynccontextmanager
    async def during(self, fault: Fault) -> AsyncIterator[None]:
        """Do *fault* inside, and pass everything on after."""
        await self.set(fault)
        try:
            yield
        finally:
            await self.set(PASS)

    async def _listen(self) -> None:
        assert self._runner.server is not None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._runner.server, "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        """Stop listening and drop every connection there is."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            connection.force_close()

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get(TENANT) in self.refused_tenants:
            self.answers["401"] += 1
            return web.Response(status=401, text="no such tenant\n")
        fault, over = self._fault, self._over
        if self._rng.random() >= fault.share or len(body) <= fault.above:
            return await self._forward(request, body)
        self.answers[fault.name] += 1
        if fault.silent:
            await over.wait()
            return _gone(request)
        if fault.delay:
            await asyncio.sleep(fault.delay * self._rng.random() * 2)
        if fault.status:
            return web.Response(
                status=fault.status, headers=fault.headers, text=fault.body
            )
        answer = await self._forward(request, body)
        return _gone(request) if fault.cut else answer

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        names = ("Content-Type", "Content-Encoding", TENANT)
        headers = {n: request.headers[n] for n in names if n in request.headers}
        try:
            async with self._session.request(
                request.method,
                self.target + request.path_qs,
                data=body,
                headers=headers,
            ) as answer:
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            # To the shipper it looks as if it had asked the store itself.
            self.answers["no store"] += 1
            return _gone(request)
        self.answers[str(answer.status)] += 1
        kept = ("Content-Type", "Retry-After")
        passed = {n: answer.headers[n] for n in kept if n in answer.headers}
        return web.Response(status=answer.status, headers=passed, body=text)


def _gone(request: web.Request) -> web.Response:
    """Cut the connection; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
