"""GET /loki/api/v1/tail: the past first, then what is stored, over a websocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import WSCloseCode, web

from shipper.logql import LogQuery
from shipper.store.query import logs, render
from shipper.store.query.found import FoundStream
from shipper.store.query.logs import LogRequest
from shipper.store.query.params import (
    Bounds,
    parse_bounds,
    parse_limit,
)
from shipper.store.query.plan import parse_query
from shipper.store.reader import Readers
from shipper.store.tail import ENTRIES_PER_MESSAGE, Tail, Tails
from shipper.wire.errors import Answer


SEND_SECONDS: Final = 15.0
_HEARTBEAT_SECONDS: Final = 10.0
_MAX_DELAY_SECONDS: Final = 5
_MAX_MESSAGE_BYTES: Final = 4096  # clients have nothing to say


class TailRequest:
    """What a client asks to follow. Raises Answer 400 in Loki's words."""

    def __init__(self, form: Mapping[str, str], now: int, most: int) -> None:
        expr = parse_query(form.get("query", ""))
        if not isinstance(expr, LogQuery):
            raise Answer(400, "parse error : only log queries can be tailed")
        self.query = expr
        try:
            self.limit = min(parse_limit(form), most or parse_limit(form))
            self.bounds = Bounds(parse_bounds(form, now).start, now + 1)
            self.delay_seconds = int(form.get("delay_for") or 0)
        except ValueError as error:
            raise Answer(400, str(error)) from None
        if not 0 <= self.delay_seconds <= _MAX_DELAY_SECONDS:
            raise Answer(400, f"delay_for can't be greater than {_MAX_DELAY_SECONDS}")


async def follow(
    request: web.Request,
    tenant: str,
    asked: TailRequest,
    tails: Tails,
    readers: Readers,
) -> web.WebSocketResponse:
    """Serve one tail until the client leaves, is too slow, or the store stops."""
    socket = web.WebSocketResponse(
        heartbeat=_HEARTBEAT_SECONDS, max_msg_size=_MAX_MESSAGE_BYTES
    )
    await socket.prepare(request)
    categorize = wants_categorized(request)
    try:
        tail = tails.open(tenant, asked.query, categorize=categorize)
    except Answer as answer:
        await _close(socket, WSCloseCode.INTERNAL_ERROR, answer.text)
        return socket
    sender = asyncio.ensure_future(
        _send(socket, tenant, asked, tail, readers, categorize=categorize)
    )
    receiver = asyncio.ensure_future(_until_gone(socket))
    try:
        await asyncio.wait({sender, receiver}, return_when="FIRST_COMPLETED")
    finally:
        tails.leave(tenant, tail)
        sender.cancel()
        receiver.cancel()
        await asyncio.gather(sender, receiver, return_exceptions=True)
        reason = "the tail ended" if tail.closed else ""
        await _close(socket, WSCloseCode.GOING_AWAY, reason)
    return socket


def wants_categorized(request: web.Request) -> bool:
    """Return whether *request* wants structured metadata apart from the labels."""
    wanted = request.headers.get(render.FLAGS_HEADER, "")
    return render.CATEGORIZE_LABELS in wanted.split(",")


async def _send(
    socket: web.WebSocketResponse,
    tenant: str,
    asked: TailRequest,
    tail: Tail,
    readers: Readers,
    *,
    categorize: bool,
) -> None:
    past = LogRequest(
        tenant, asked.query, asked.bounds, asked.limit, categorize=categorize
    )
    streams = await readers.run(lambda connection, _: logs.run(connection, past))
    already = {(s.text, e.timestamp_ns, e.line) for s in streams for e in s.entries}
    for stream in streams:
        for part in _parts(stream):
            value = render.stream_value(part, categorize=categorize)
            await _message(socket, {"streams": [value]}, categorize=categorize)
    tail.skip(already)
    while (message := await tail.message()) is not None:
        if asked.delay_seconds:
            await asyncio.sleep(asked.delay_seconds)
        if message["streams"] or "dropped_entries" in message:
            await _message(socket, message, categorize=categorize)


def _parts(stream: FoundStream) -> list[FoundStream]:
    entries = stream.entries[::-1]  # oldest first
    return [
        stream._replace(entries=entries[at : at + ENTRIES_PER_MESSAGE])
        for at in range(0, len(entries), ENTRIES_PER_MESSAGE)
    ]


async def _message(
    socket: web.WebSocketResponse, message: dict[str, Any], *, categorize: bool
) -> None:
    if categorize:
        message["encodingFlags"] = [render.CATEGORIZE_LABELS]
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    async with asyncio.timeout(SEND_SECONDS):
        await socket.send_str(text)


async def _until_gone(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        pass


async def _close(socket: web.WebSocketResponse, code: WSCloseCode, text: str) -> None:
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(1):
            await socket.close(code=code, message=text.encode()[:123])
