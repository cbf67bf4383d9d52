"""The handlers: a push in, an answer out, and 204 only when Loki has every line.

promtail answers 204 as soon as lines are in its queue, and loses them if it dies. Here
a sender hears 503 when Loki did not take its push in time, and sends it again: at
least once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from shipper.files.clock import LineClock
from shipper.loki.quiet import Quiet
from shipper.pipeline.entry import Sink
from shipper.push.content import Content, Labeller, read_push
from shipper.push.delivery import Delivery
from shipper.push.meters import Meters
from shipper.wire.body import read_body
from shipper.wire.errors import Answer
from shipper.wire.webserver import text_answer


log = logging.getLogger(__name__)

V1_PATH: Final = "/loki/api/v1/push"
LEGACY_PATH: Final = "/api/prom/push"
RAW_PATH: Final = "/promtail/api/v1/raw"

_Read = Callable[[web.Request], Awaitable[Content]]
# A body up to this size is parsed on the loop: about 3 ms.
_INLINE_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one receiver takes on. Times are seconds.

    *answer_seconds* is less than the 10 s that promtail, Docker's driver and others
    wait for an answer; *body_seconds* is how long a body may take to arrive.
    """

    body_bytes: int = 16 * 1024 * 1024
    requests: int = 64
    answer_seconds: float = 8.0
    body_seconds: float = 30.0
    retry_after_seconds: int = 1


class Receiver:
    """Answers the requests of one job. Deliveries run in the group that `own` gets."""

    def __init__(
        self,
        labeller: Labeller,
        sink: Sink,
        meters: Meters,
        limits: Limits,
        hurry: Callable[[], object],
    ) -> None:
        self.received = self.in_flight = 0
        self._labeller = labeller
        self._sink = sink
        self._meters = meters
        self._limits = limits
        self._hurry = hurry
        self._tasks: asyncio.TaskGroup | None = None
        self._deliveries: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Timeout] = set()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="push-decode")
        self._stamp = LineClock().stamp
        self._quiet = Quiet(time.monotonic)

    def own(self, tasks: asyncio.TaskGroup) -> None:
        """Run deliveries in *tasks* from now on."""
        self._tasks = tasks

    def stop(self, grace_seconds: float) -> None:
        """Take no more; give what waits for Loki *grace_seconds*."""
        self._tasks = None
        until = asyncio.get_running_loop().time() + grace_seconds
        for timeout in self._waiting:
            timeout.reschedule(min(until, timeout.when() or until))

    def close(self) -> None:
        """End what is left, and the threads."""
        for task in self._deliveries:
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    # Requests

    async def push(self, request: web.Request) -> web.Response:
        """Take a push in Loki's formats."""
        return await self._answer(request, self._streams)

    async def raw(self, request: web.Request) -> web.Response:
        """Take lines of text."""
        return await self._answer(request, self._lines)

    async def ready(self, request: web.Request) -> web.Response:
        """Answer as promtail does."""
        del request
        return web.Response(text="ready")

    async def _answer(self, request: web.Request, read: _Read) -> web.Response:
        try:
            await self._receive(request, read)
        except Answer as answer:
            self._complain(answer)
            response = text_answer(answer.status, f"{answer.text}\n")
            if answer.status == 503:
                response.headers["Retry-After"] = str(self._limits.retry_after_seconds)
        else:
            response = web.Response(status=204)
        self._meters.answered(response.status)
        return response

    async def _receive(self, request: web.Request, read: _Read) -> None:
        """Return when all that *request* brings is acknowledged. Raises Answer."""
        tasks = self._tasks
        if tasks is None:
            raise Answer(503, "stopping")
        if self.in_flight >= self._limits.requests:
            raise Answer(503, f"too many requests in flight ({self.in_flight})")
        self.in_flight += 1
        task = None
        try:
            content = await read(request)
            self._meters.filtered(content.filtered)
            delivery = Delivery(content.items)
            task = tasks.create_task(self._deliver(delivery), name="push delivery")
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)
            await self._acknowledged(delivery)
        finally:
            # A put that waits for room holds its place until it is over.
            if task is None or task.done():
                self._leave()
            else:
                task.add_done_callback(self._leave)

    def _leave(self, _: object = None) -> None:
        self.in_flight -= 1

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            await delivery.run(self._sink)
            self._hurry()
        except Exception:
            # One push must not end the others.
            log.exception("handing a push over failed")
            delivery.fail()
        finally:
            self.received += delivery.put
            self._meters.entries(delivery.put)

    async def _acknowledged(self, delivery: Delivery) -> None:
        try:
            async with asyncio.timeout(self._limits.answer_seconds) as timeout:
                self._waiting.add(timeout)
                try:
                    await delivery.done.wait()
                finally:
                    self._waiting.discard(timeout)
        except TimeoutError:
            delivery.abandon()
            self._meters.unacknowledged(delivery.missing)
            text = f"Loki has not acknowledged {delivery.missing} entries, send again"
            raise Answer(503, text) from None
        if delivery.failed:
            raise Answer(500, "handing the push over failed, see the log")

    # Bodies

    async def _streams(self, request: web.Request) -> Content:
        body = await self._body(request)
        kind = request.headers.get("Content-Type", "")
        read = partial(
            read_push, body, kind, self._limits.body_bytes, v1=V1_PATH in request.path
        )
        if len(body) <= _INLINE_BYTES:
            pushed = read()
        else:
            loop = asyncio.get_running_loop()
            pushed = await loop.run_in_executor(self._threads, read)
        return self._labeller.streams(pushed, self._stamp)

    async def _lines(self, request: web.Request) -> Content:
        return self._labeller.lines(await self._body(request), self._stamp)

    async def _body(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                return await read_body(request, self._limits.body_bytes)
        except TimeoutError:
            raise Answer(408, "the body did not arrive in time") from None

    def _complain(self, answer: Answer) -> None:
        repeated = self._quiet.may_say(answer.status)
        if repeated is not None:
            log.warning(
                "push request not taken",
                extra={
                    "fields": {
                        "status": answer.status,
                        "err": answer.text,
                        "repeated": repeated,
                    }
                },
            )
