"""Real sockets, and clients that behave badly: answered as Go does, or closed."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from exporters.toolkit.http import server as module
from exporters.toolkit.http.connection import Connection
from exporters.toolkit.http.request import Request
from exporters.toolkit.http.response import Response
from exporters.toolkit.http.server import Server
from tests.served import listening


BIG = b"x" * (32 << 20)  # more than two sockets' buffers hold


class Site:
    """Handlers that can be held up, and what was asked of them."""

    def __init__(self, *, cancels: bool = False) -> None:
        self.server = Server(self.answer, cancel_when_client_leaves=cancels)
        self.asked: list[str] = []
        self.entered = asyncio.Semaphore(0)
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.cancelled = asyncio.Event()
        self.port = 0

    async def answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        self.entered.release()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if request.path == "/big":
            return Response(body=BIG)
        return Response(body=request.path.encode())

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 26)

    async def ask(self, *parts: bytes, eof: bool = False) -> bytes:
        """Send *parts* over a connection; return all that comes until it ends."""
        reader, writer = await self.connect()
        for part in parts:
            writer.write(part)
            await writer.drain()
        if eof:
            writer.write_eof()
        try:
            return await reader.read()
        finally:
            writer.close()

    async def is_alive(self) -> bool:
        answer = await self.ask(b"GET /alive HTTP/1.0\r\n\r\n")
        return answer.endswith(b"\r\n\r\n/alive")

    async def until(self, most: int) -> None:
        """Wait until no more than *most* connections are open."""
        left = asyncio.Event()
        forget = self.server.left

        def note(connection: Connection) -> None:
            forget(connection)
            left.set()

        self.server.left = note  # type: ignore[method-assign] # to hear of it
        while len(self.server) > most:
            left.clear()
            await left.wait()

    async def until_gone(self) -> None:
        await self.until(0)


@asynccontextmanager
async def site(*, cancels: bool = False) -> AsyncIterator[Site]:
    async with asyncio.timeout(60):
        made = Site(cancels=cancels)
        async with listening(made.server) as made.port:
            yield made


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No fault of a client is the log's business."""
    yield
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


def get(path: str, *fields: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: h", *fields, "", ""]
    return "\r\n".join(lines).encode()


LAST = "Connection: close"


async def test_byte_by_byte() -> None:
    data = get("/a") + b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy"
    async with site() as here:
        parts = [bytes([byte]) for byte in data + get("/c", LAST)]
        answer = await here.ask(*parts)
    assert here.asked == ["/a", "/b", "/c"]
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert answer.endswith(b"Connection: close\r\n\r\n/c")


async def test_pipelined_requests_are_answered_one_after_the_other() -> None:
    async with site() as here:
        here.go_on.clear()
        paths = [f"/{number}" for number in range(500)]
        data = b"".join(map(get, paths)) + get("/last", LAST) + get("/never")
        answers = asyncio.create_task(here.ask(data))
        await here.entered.acquire()
        assert here.asked == ["/0"]
        here.go_on.set()
        bodies = [
            part.split(b"\r\n\r\n")[1]
            for part in (await answers).split(b"HTTP/1.1 ")[1:]
        ]
    assert [body.decode() for body in bodies] == [*paths, "/last"]
    assert here.asked == [*paths, "/last"]


async def test_garbage_behind_a_request() -> None:
    async with site() as here:
        answer = await here.ask(get("/a") + b"garbage\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\n400 Bad Request")
        assert await here.is_alive()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (get("/a"), b"HTTP/1.1 200 OK"),
        (
            b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx",
            b"HTTP/1.1 200 OK",
        ),
        (b"GET / HT", b"HTTP/1.1 400 Bad Request"),
        (b"", b""),
    ],
)
async def test_who_sends_no_more_is_answered(data: bytes, status: bytes) -> None:
    async with site() as here:
        answer = await here.ask(data, eof=True)
        assert answer.partition(b"\r\n")[0] == status
        await here.until_gone()


@pytest.mark.parametrize("cancels", [True, False])
async def test_who_sends_no_more_while_it_is_served(cancels: bool) -> None:
    async with site(cancels=cancels) as here:
        here.go_on.clear()
        answer = asyncio.create_task(here.ask(get("/a") + get("/b"), eof=True))
        await here.entered.acquire()
        here.go_on.set()
        assert (await answer).count(b"HTTP/1.1 200 OK\r\n") == 2
        await here.until_gone()


@pytest.mark.parametrize("at", ["head", "body", "answer"])
async def test_resets(at: str) -> None:
    data = {
        "head": b"GET / HTTP/1.1\r\n",
        "body": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx",
        "answer": get("/big"),
    }
    async with site() as here:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", here.port)) as client:
                linger = struct.pack("ii", 1, 0)  # so that closing resets
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                client.sendall(data[at])
                if at == "answer":
                    await here.entered.acquire()
        await here.until_gone()
        assert await here.is_alive()


async def test_a_request_that_is_too_large_hears_so() -> None:
    """Though it is being sent still: closing at once would reset the connection."""
    async with site() as here:
        answer = await here.ask(b"GET /" + b"a" * 40_000)
        assert answer.endswith(b"\r\n\r\n431 Request Header Fields Too Large")
        large = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"
        answer = await here.ask(large + b"x" * 1_000_000)
        assert b"\r\nConnection: close\r\n" in answer
        assert answer.endswith(b"\r\n\r\n/a")
        await here.until_gone()


async def test_an_answer_waits_for_who_reads_slowly() -> None:
    async with site() as here:
        reader, writer = await here.connect()
        writer.write(get("/big") + get("/then", LAST))
        await here.entered.acquire()
        assert await here.is_alive()
        assert here.asked == ["/big", "/alive"]  # /then waits for its turn
        answer = await reader.read()
        assert answer.count(b"x") == len(BIG)
        assert answer.endswith(b"/then")
        writer.close()


async def test_who_never_reads_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ_SECONDS", 0.2)
    async with site() as here:
        with socket.create_connection(("127.0.0.1", here.port)) as client:
            client.sendall(get("/big"))
            await here.entered.acquire()
            await here.until_gone()


async def test_too_many_who_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_UNREAD", 2)
    async with site() as here:
        clients = []
        for _ in range(5):
            clients.append(socket.create_connection(("127.0.0.1", here.port)))
            clients[-1].sendall(get("/big"))
            await here.entered.acquire()
        await here.until(2)
        for client in clients:
            client.close()


async def test_what_comes_while_a_request_is_served_is_not_kept_without_bound() -> None:
    async with site() as here:
        here.go_on.clear()
        _, writer = await here.connect()
        writer.write(get("/a"))
        await here.entered.acquire()
        writer.write(b"x" * (64 << 20))
        for _ in range(50):
            await asyncio.sleep(0)
        assert writer.transport.get_write_buffer_size() > 32 << 20
        assert little_is_kept(here)
        writer.transport.abort()
        here.go_on.set()
        await here.until_gone()


def little_is_kept(here: Site) -> bool:
    """Tell whether the reader of each connection holds little."""
    return all(len(each._reader) < 100_000 for each in here.server._open)


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n"])
async def test_silence(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.1)
    monkeypatch.setattr(module, "_REQUEST_SECONDS", 0.1)
    async with site() as here:
        assert await here.ask(data) == b""
        assert await here.ask(get("/a"), data) != b""  # and then closed
        await here.until_gone()


async def test_a_request_that_trickles_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes does not prolong the wait."""
    monkeypatch.setattr(module, "_REQUEST_SECONDS", 0.3)
    async with site() as here:
        reader, writer = await here.connect()

        async def trickle() -> None:
            writer.write(b"GET / HTTP/1.1\r\n")
            while True:
                writer.write(b"X: y\r\n")
                await asyncio.sleep(0.01)

        trickling = asyncio.create_task(trickle())
        try:
            assert await reader.read() == b""
        except ConnectionError:
            pass
        finally:
            trickling.cancel()
            writer.transport.abort()
        await here.until_gone()


async def test_silent_clients_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_most_connections", lambda: 100)
    async with site() as here:
        silent = [await here.connect() for _ in range(1000)]
        assert len(here.server) <= 100
        assert await here.is_alive()
        assert await silent[0][0].read() == b""
        for _, writer in silent:
            writer.transport.abort()


async def test_no_room_while_all_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_most_connections", lambda: 2)
    async with site() as here:
        here.go_on.clear()
        served = [asyncio.create_task(here.ask(get("/a", LAST))) for _ in range(2)]
        for _ in served:
            await here.entered.acquire()
        reader, writer = await here.connect()
        assert await reader.read() == b""
        writer.close()
        here.go_on.set()
        for answer in await asyncio.gather(*served):
            assert answer.endswith(b"/a")


@pytest.mark.parametrize("cancels", [True, False])
async def test_a_client_that_leaves(cancels: bool) -> None:
    async with site(cancels=cancels) as here:
        here.go_on.clear()
        _, writer = await here.connect()
        writer.write(get("/a"))
        await here.entered.acquire()
        writer.transport.abort()
        if cancels:
            await here.cancelled.wait()
        here.go_on.set()
        await here.until_gone()
    assert here.cancelled.is_set() is cancels


async def test_a_handler_that_is_cancelled_by_others_ends_its_connection() -> None:
    async with site() as here:

        async def answer(_: Request) -> Response:
            raise asyncio.CancelledError

        here.server.answer, working = answer, here.server.answer
        assert await here.ask(get("/a")) == b""
        here.server.answer = working
        assert await here.is_alive()
        await here.until_gone()


async def test_a_stop_ends_idle_connections_at_once() -> None:
    async with site() as here:
        reader, writer = await here.connect()
        writer.write(get("/a"))
        await reader.readuntil(b"/a")
        began = asyncio.get_running_loop().time()
        await here.server.close()
        assert asyncio.get_running_loop().time() - began < 1
        assert await reader.read() == b""
        writer.close()


async def test_a_stop_waits_for_the_request_that_is_served() -> None:
    async with site() as here:
        here.go_on.clear()
        answer = asyncio.create_task(here.ask(get("/a") + get("/b")))
        await here.entered.acquire()
        stop = asyncio.create_task(here.server.close())
        await asyncio.sleep(0)
        here.go_on.set()
        assert b"\r\nConnection: close\r\n" in await answer
        await stop
        assert here.asked == ["/a"]


async def test_a_stop_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.1)
    async with site() as here:
        here.go_on.clear()
        answer = asyncio.create_task(here.ask(get("/a")))
        await here.entered.acquire()
        await here.server.close()
        assert here.cancelled.is_set()
        assert await answer == b""
        assert len(here.server) == 0
        reader, writer = await here.connect()  # the listener is not the server's
        assert await reader.read() == b""
        writer.close()


async def test_methods_and_expectations() -> None:
    async with site() as here:
        head = await here.ask(b"HEAD /a HTTP/1.0\r\n\r\n")
        assert head.endswith(b"Content-Length: 2\r\n\r\n")
        options = await here.ask(b"OPTIONS * HTTP/1.0\r\n\r\n")
        assert options.startswith(b"HTTP/1.0 200 OK\r\n")
        star = await here.ask(b"GET * HTTP/1.1\r\nHost: h\r\n\r\n")
        assert star.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        other = await here.ask(get("/a", "Expect: more"))
        assert other.startswith(b"HTTP/1.1 417 Expectation Failed\r\n")
        waiting = get("/b", "Content-Length: 5", "Expect: 100-continue")
        assert (await here.ask(waiting)).endswith(b"/b")
    assert here.asked == ["/a", "/b"]


async def test_connections_are_counted() -> None:
    async with site() as here:
        assert len(here.server) == 0
        connections = [await here.connect() for _ in range(3)]
        assert await here.is_alive()
        assert len(here.server) >= 3
        for _, writer in connections:
            writer.close()
        await here.until_gone()
